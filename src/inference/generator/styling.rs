//! What a network is told of styles and their strength.

use super::{Generator, Pass, Slot};
use crate::frame::Finish;
use crate::inference::model::StyleKind;
use crate::inference::style_map::StyleMap;

impl Generator {
    /// How much of what the network draws is seen, beside the picture: a style map's sum is strength
    /// already, and so is an input that takes it.
    pub(super) fn share_seen(&self, strength: f32) -> f32 {
        let kind = self.model.style().map(|style| style.kind);
        if matches!(kind, Some(StyleKind::Map { .. })) {
            return 1.0;
        }
        let constants = self.model.constants();
        let takes_it = constants.iter().any(|constant| constant.weakest.is_some());
        // Such a network leaves the picture nearly as it is, and 0 is the picture itself.
        if takes_it && strength > 0.0 {
            1.0
        } else {
            strength
        }
    }

    /// Writes the style input and the strength, where there are inputs for them.
    pub(super) fn prepare_style(&self, map: &StyleMap, slot: &mut Slot) -> ort::Result<()> {
        let weights = map.weights();
        let total: f32 = weights.iter().sum();
        slot.strength = total.clamp(0.0, 1.0);
        slot.finish = self.finish_of(map);
        for pass in &mut slot.passes {
            self.prepare_strength(slot.strength, pass)?;
        }
        let (Some(port), Some(style)) = (self.model.style(), &mut slot.style) else {
            return Ok(());
        };
        let heaviest = || {
            let pairs = weights.iter().enumerate();
            pairs.fold((0, 0.0), |best, (at, weight)| {
                if *weight > best.1 {
                    (at, *weight)
                } else {
                    best
                }
            })
        };
        match port.kind {
            StyleKind::Map { .. } => style.write(|numbers| numbers.copy_from_slice(weights)),
            StyleKind::Weights => style.write(|numbers| {
                // The network blends; how much of it is seen is another matter.
                let share = if total > 0.0 { 1.0 / total } else { 0.0 };
                for (number, weight) in numbers.iter_mut().zip(weights) {
                    *number = weight * share;
                }
                if let (Some(first), true) = (numbers.first_mut(), total <= 0.0) {
                    *first = 1.0;
                }
            }),
            StyleKind::Index => style.write(|numbers| numbers.fill(heaviest().0 as f32)),
            StyleKind::Own => {
                let at = heaviest().0;
                match self.styles.get(at) {
                    Some(values) if slot.styled != Some(at) => {
                        style.write(|numbers| {
                            numbers
                                .iter_mut()
                                .zip(values)
                                .for_each(|(to, from)| *to = *from);
                        })?;
                        slot.styled = Some(at);
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// How pictures in these styles are finished: one way for a picture, by what each style has of it.
    fn finish_of(&self, map: &StyleMap) -> Finish {
        let area = map.cells().area();
        let styles = self.model.styles().iter().filter_map(|style| {
            let start = style.channel * area;
            let weights = map.weights().get(start..start + area)?;
            Some((style.finish, weights.iter().sum::<f32>() / area as f32))
        });
        Finish::blend(styles)
    }

    /// Writes the strength to the inputs that take it.
    fn prepare_strength(&self, strength: f32, pass: &mut Pass) -> ort::Result<()> {
        let pairs = self.model.constants().iter().zip(&mut pass.constants);
        for (constant, values) in pairs {
            if let (Some(weakest), [full]) = (constant.weakest, &constant.values[..]) {
                values.write(|numbers| numbers.fill(weakest + (full - weakest) * strength))?;
            }
        }
        Ok(())
    }
}
