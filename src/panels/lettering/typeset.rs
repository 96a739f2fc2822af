//! From letters to shaped pieces: which font has each letter, how wide it is, where a line may end.

use std::collections::HashMap;
use std::sync::OnceLock;

use harfrust::{FontRef, ShapeOptions, ShaperData, UnicodeBuffer};
use resvg::tiny_skia::{Path, PathBuilder};
use skrifa::MetadataProvider as _;
use skrifa::outline::{DrawSettings, OutlinePen};
use unicode_bidi::{BidiInfo, Level};
use unicode_linebreak::BreakOpportunity;
use unicode_segmentation::UnicodeSegmentation as _;

use super::clean::Clean;
use super::{Direction, Typeface};

/// How much larger emphasised letters are.
pub(super) const STRONG: f32 = 1.16;

/// What one reader takes for a letter, shaped. Measures are in em of the text's size.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// How far the pen moves along the line.
    pub advance: f32,
    /// Its glyphs; empty for spaces.
    pub glyphs: Vec<Glyph>,
    /// Whether it is emphasised.
    pub strong: bool,
    /// Whether it is a space, which has no width at the end of a line.
    pub space: bool,
    /// Whether a line may end after it.
    pub after: Break,
    /// Its level in bidirectional text: odd runs from right to left.
    pub level: u8,
}

/// A glyph relative to its piece: x along the line, y up from the baseline; in vertical text x
/// from the column's middle and y from the piece's upper edge, negative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyph {
    pub face: Typeface,
    pub id: u32,
    pub x: f32,
    pub y: f32,
    /// Turned by a quarter to the right: dashes in vertical text.
    pub turned: bool,
}

/// Whether a line may end here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Break {
    /// Only when nothing else helps.
    Never,
    /// It may, at this cost: 0 is between words.
    May(f32),
    /// It must.
    Must,
}

/// Measures of a typeface, in em, y up from the baseline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metrics {
    /// Upper edge of a capital or a Hangul syllable.
    pub top: f32,
    /// Lower edge of a Hangul syllable, or the baseline.
    pub bottom: f32,
    /// From one line to the next.
    pub leading: f32,
}

/// Shaped text.
pub(super) struct Typeset {
    pub pieces: Vec<Piece>,
    /// Letters that no font has.
    pub missing: Vec<char>,
}

/// Shapes `clean` in `main`, and in other fonts for what `main` lacks. Where nothing is left but
/// letters that no font has, an ellipsis stands for them: somebody said something.
pub(super) fn typeset(clean: &Clean, main: Typeface, direction: Direction) -> Typeset {
    let mut missing = Vec::new();
    let letters = letters(clean, main, &mut missing);
    if letters.is_empty() && !missing.is_empty() {
        let pieces = typeset(&super::clean::clean("…"), main, direction).pieces;
        return Typeset { pieces, missing };
    }
    let text = clean.text.as_str();
    let levels = levels(text);
    let mut pieces: Vec<Piece> = letters
        .iter()
        .map(|letter| Piece {
            advance: 0.0,
            glyphs: Vec::new(),
            strong: clean.strong.get(letter.at).copied().unwrap_or(false),
            space: letter.shown == " ",
            after: letter.after,
            level: levels.get(letter.at).map_or(0, |level| level.number()),
        })
        .collect();
    let mut start = 0;
    while start < letters.len() {
        let alike = |at: usize| {
            letters[at].face == letters[start].face
                && pieces[at].level == pieces[start].level
                && pieces[at].strong == pieces[start].strong
        };
        let end = (start..letters.len())
            .find(|at| !alike(*at))
            .unwrap_or(letters.len());
        if let Some(face) = letters[start].face {
            match direction {
                Direction::Horizontal => shape(face, &letters[start..end], &mut pieces[start..end]),
                Direction::Vertical => {
                    for at in start..end {
                        stack(face, &letters[at], &mut pieces[at]);
                    }
                }
            }
        }
        start = end;
    }
    for piece in &mut pieces {
        if piece.space {
            piece.glyphs.clear();
            // Comic lettering sets words close.
            piece.advance = match direction {
                Direction::Horizontal => piece.advance.clamp(0.2, 0.32),
                Direction::Vertical => 0.4,
            };
        }
        if piece.strong {
            piece.advance *= STRONG;
        }
    }
    Typeset { pieces, missing }
}

/// A letter and the font it is drawn with.
struct Letter<'a> {
    /// Where it is in the text.
    at: usize,
    /// What is drawn: another letter where a font has no such one.
    shown: &'a str,
    face: Option<Typeface>,
    after: Break,
}

fn letters<'a>(clean: &'a Clean, main: Typeface, missing: &mut Vec<char>) -> Vec<Letter<'a>> {
    let text = clean.text.as_str();
    let allowed: HashMap<usize, BreakOpportunity> = unicode_linebreak::linebreaks(text).collect();
    let mut letters: Vec<Letter> = Vec::new();
    for (at, grapheme) in text.grapheme_indices(true) {
        if grapheme == "\n" {
            match letters.last_mut() {
                Some(last) => last.after = Break::Must,
                None => continue,
            }
            continue;
        }
        let end = at + grapheme.len();
        let after = match allowed.get(&end) {
            Some(BreakOpportunity::Allowed) => Break::May(cost(grapheme)),
            _ => Break::Never,
        };
        let found = drawable(grapheme, main).or_else(|| {
            let base = grapheme
                .char_indices()
                .nth(1)
                .map_or(grapheme, |(end, _)| &grapheme[..end]);
            drawable(base, main).or_else(|| drawable(instead_of(base)?, main))
        });
        match found {
            Some((shown, face)) => letters.push(Letter {
                at,
                shown,
                face: Some(face),
                after,
            }),
            None => {
                let letter = grapheme.chars().next().unwrap_or_default();
                if missing.len() < 32 && !missing.contains(&letter) {
                    missing.push(letter);
                }
                // Where it stood a line may still end.
                if let (Some(last), Break::May(_)) = (letters.last_mut(), after)
                    && last.after == Break::Never
                {
                    last.after = after;
                }
            }
        }
    }
    letters
}

/// What it costs to end a line after this letter.
fn cost(letter: &str) -> f32 {
    match letter.chars().next().unwrap_or_default() {
        ' ' => 0.0,
        '-' | '\u{2010}'..='\u{2015}' | '…' | '~' | '/' => 0.25,
        // Korean keeps words whole, where it can.
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}' => 1.6,
        // Chinese and Japanese end lines anywhere.
        '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' => 0.05,
        _ => 0.6,
    }
}

fn drawable(text: &str, main: Typeface) -> Option<(&str, Typeface)> {
    std::iter::once(main)
        .chain(Typeface::ALL)
        .find(|face| face.covers(text))
        .map(|face| (text, face))
}

/// A letter of the fonts that says about the same as an emoji.
fn instead_of(letter: &str) -> Option<&'static str> {
    Some(match letter.chars().next()? {
        '❤'
        | '🧡'
        | '💛'
        | '💚'
        | '💙'
        | '💜'
        | '🖤'
        | '🤍'
        | '🤎'
        | '💓'..='💝'
        | '💟'
        | '💌'
        | '🩷'
        | '🩵'
        | '🩶' => "♥",
        '⭐' | '🌟' | '✨' | '💫' | '🤩' => "★",
        '🎵' | '🎶' | '🎤' => "♪",
        '☀' | '🌞' | '🔆' => "☆",
        '❗' | '❕' => "!",
        '❓' | '❔' => "?",
        '‼' => "!!",
        '⁉' => "!?",
        '✔' | '✅' | '☑' => "○",
        '❌' | '✖' | '❎' => "×",
        '→' | '➡' | '⮕' => "→",
        '‐'..='―' => "-",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '‘' | '’' | '‚' => "'",
        '⋯' | '︙' => "…",
        '〜' | '～' => "~",
        '\u{2000}'..='\u{200a}' | '\u{3000}' | '\u{a0}' => " ",
        _ => return None,
    })
}

/// The level of each byte, by the Unicode bidirectional algorithm.
fn levels(text: &str) -> Vec<Level> {
    BidiInfo::new(text, None).levels
}

/// Pieces of a line in the order they are seen, by rule L2 of the same algorithm.
pub(super) fn visual_order(levels: &[u8]) -> Vec<usize> {
    let levels: Vec<Level> = levels
        .iter()
        .map(|level| Level::new(*level).unwrap_or(Level::ltr()))
        .collect();
    BidiInfo::reorder_visual(&levels)
}

fn shape(face: Typeface, letters: &[Letter], pieces: &mut [Piece]) {
    let font = face.font();
    let mut text = String::new();
    let mut starts = Vec::with_capacity(letters.len());
    for letter in letters {
        starts.push(text.len());
        text.push_str(letter.shown);
    }
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(&text);
    let backwards = pieces.first().is_some_and(|piece| piece.level % 2 == 1);
    buffer.set_direction(if backwards {
        harfrust::Direction::RightToLeft
    } else {
        harfrust::Direction::LeftToRight
    });
    buffer.guess_segment_properties();
    let shaper = font.shaper.shaper(&font.font).build();
    let output = shaper.shape(buffer, ShapeOptions::new());
    let positions = output.glyph_positions().iter().zip(output.glyph_infos());
    for (position, info) in positions {
        let at = starts
            .partition_point(|start| *start <= info.cluster as usize)
            .saturating_sub(1);
        let Some(piece) = pieces.get_mut(at) else {
            continue;
        };
        piece.glyphs.push(Glyph {
            face,
            id: info.glyph_id,
            x: piece.advance + position.x_offset as f32 / font.units,
            y: position.y_offset as f32 / font.units,
            turned: false,
        });
        piece.advance += position.x_advance as f32 / font.units;
    }
}

/// A letter of vertical text: upright, in the middle of its column.
fn stack(face: Typeface, letter: &Letter, piece: &mut Piece) {
    let font = face.font();
    let mut width = 0.0;
    for letter in letter.shown.chars() {
        let id = font.font.charmap().map(letter).map_or(0, |id| id.to_u32());
        piece.glyphs.push(Glyph {
            face,
            id,
            x: width,
            y: 0.0,
            turned: false,
        });
        width += font.advance(id);
    }
    let first = letter.shown.chars().next().unwrap_or_default();
    let turned = matches!(
        first,
        '-' | '–' | '—' | '…' | '‥' | '~' | 'ー' | '(' | ')' | '「' | '」' | '『' | '』'
    );
    let small = matches!(first, '、' | '。' | ',' | '.');
    let metrics = face.metrics();
    let (top, bottom) = (metrics.top, metrics.bottom);
    piece.advance = if turned {
        width.max(0.4)
    } else if small {
        0.5
    } else {
        metrics.leading.min(1.06) * (top - bottom).max(0.7) / 0.88
    };
    for glyph in &mut piece.glyphs {
        if turned {
            // Turned, the pen goes down: x along the column, the ink's middle on the column's.
            glyph.turned = true;
            glyph.y = (top + bottom) / 2.0 - 0.12 * f32::from(u8::from(first == '.'));
        } else {
            glyph.x -= width / 2.0;
            if small {
                glyph.x += 0.3;
                glyph.y = -0.35;
            } else {
                glyph.y = -(piece.advance - (top - bottom)) / 2.0 - top;
            }
        }
    }
}

/// A font file, taken apart once.
pub(super) struct Font {
    font: FontRef<'static>,
    shaper: ShaperData,
    units: f32,
    metrics: Metrics,
}

impl Font {
    fn advance(&self, id: u32) -> f32 {
        self.font
            .glyph_metrics(
                skrifa::prelude::Size::unscaled(),
                skrifa::prelude::LocationRef::default(),
            )
            .advance_width(skrifa::GlyphId::new(id))
            .unwrap_or(0.0)
            / self.units
    }
}

impl Typeface {
    #[expect(
        clippy::panic,
        reason = "the files are part of the program and a test opens them"
    )]
    pub(super) fn font(self) -> &'static Font {
        static FONTS: [OnceLock<Font>; Typeface::ALL.len()] = [const { OnceLock::new() }; 5];
        FONTS[self as usize].get_or_init(|| {
            self.open()
                .unwrap_or_else(|error| panic!("A shipped font is damaged: {error}"))
        })
    }

    fn open(self) -> Result<Font, skrifa::raw::ReadError> {
        let font = FontRef::new(self.file())?;
        let size = skrifa::prelude::Size::unscaled();
        let whole = font.metrics(size, skrifa::prelude::LocationRef::default());
        let units = f32::from(whole.units_per_em.max(1));
        let sample = ['가', 'H']
            .into_iter()
            .find_map(|letter| font.charmap().map(letter));
        let bounds = sample.and_then(|id| {
            font.glyph_metrics(size, skrifa::prelude::LocationRef::default())
                .bounds(id)
        });
        let (top, bottom) = bounds.map_or((0.8, 0.0), |ink| (ink.y_max / units, ink.y_min / units));
        let leading = match self {
            Self::Jua => 1.14,
            Self::DoHyeon => 1.12,
            Self::NanumPen => 0.94,
            Self::Bangers => 0.98,
            Self::Pretendard => 1.3,
        };
        Ok(Font {
            shaper: ShaperData::new(&font),
            font,
            units,
            metrics: Metrics {
                top,
                bottom,
                leading,
            },
        })
    }

    pub(super) fn metrics(self) -> Metrics {
        self.font().metrics
    }

    /// Whether it has every letter of `text`.
    pub(super) fn covers(self, text: &str) -> bool {
        let charmap = self.font().font.charmap();
        text.chars()
            .all(|letter| charmap.map(letter).is_some_and(|id| id.to_u32() != 0))
    }

    /// A glyph's outline: y up, in em.
    pub(super) fn outline(self, id: u32) -> Option<Path> {
        let font = self.font();
        let outline = font.font.outline_glyphs().get(skrifa::GlyphId::new(id))?;
        let mut pen = Pen {
            builder: PathBuilder::new(),
            scale: 1.0 / font.units,
        };
        let settings = DrawSettings::unhinted(
            skrifa::prelude::Size::unscaled(),
            skrifa::prelude::LocationRef::default(),
        );
        outline.draw(settings, &mut pen).ok()?;
        pen.builder.finish()
    }
}

struct Pen {
    builder: PathBuilder,
    scale: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.builder.move_to(x * self.scale, y * self.scale);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.builder.line_to(x * self.scale, y * self.scale);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let s = self.scale;
        self.builder.quad_to(cx * s, cy * s, x * s, y * s);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let s = self.scale;
        self.builder
            .cubic_to(ax * s, ay * s, bx * s, by * s, x * s, y * s);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::*;

    fn set(text: &str) -> Typeset {
        typeset(&clean(text), Typeface::Jua, Direction::Horizontal)
    }

    #[test]
    fn every_shipped_font_opens_and_says_its_measures() {
        for face in Typeface::ALL {
            let metrics = face.metrics();
            assert!(
                metrics.top > 0.3 && metrics.top < 1.1,
                "{face:?} {metrics:?}"
            );
            assert!(
                metrics.bottom <= 0.2 && metrics.bottom > -0.4,
                "{face:?} {metrics:?}"
            );
            assert!(face.covers("A!?"), "{face:?}");
            assert!(face.covers("가쾅") || face == Typeface::Bangers, "{face:?}");
        }
    }

    #[test]
    fn korean_ends_lines_at_spaces_first() {
        let set = set("나는 간다");
        let after: Vec<Break> = set.pieces.iter().map(|piece| piece.after).collect();
        assert_eq!(after[2], Break::May(0.0));
        assert!(matches!(after[0], Break::May(cost) if cost > 1.0));
        assert!(set.pieces[2].space && set.pieces[2].glyphs.is_empty());
    }

    #[test]
    fn letters_no_font_has_are_dropped_and_named() {
        let set = set("a🦄b💖c");
        assert_eq!(set.missing, vec!['🦄']);
        assert_eq!(set.pieces.len(), 4);
        assert!(
            set.pieces
                .iter()
                .flat_map(|piece| &piece.glyphs)
                .all(|glyph| glyph.id != 0)
        );
    }

    #[test]
    fn right_to_left_runs_are_turned_around() {
        assert_eq!(visual_order(&[0, 0, 1, 1, 1, 0]), vec![0, 1, 4, 3, 2, 5]);
        let levels = levels("ab אבג cd");
        assert_eq!(levels[3].number(), 1);
        assert_eq!(levels[0].number(), 0);
    }
}
