//! How large a page is on paper.

use usvg::roxmltree::Node;

/// Width and height in inches: of a page measured in inches, millimetres, centimetres, points or
/// picas, or with `data-dpi`, the page's units an inch.
pub(super) fn inches(root: Node) -> Option<(f32, f32)> {
    let length = |name: &str| root.attribute(name)?.parse::<svgtypes::Length>().ok();
    let (width, height) = (length("width"), length("height"));
    let sides = match root
        .attribute("data-dpi")
        .and_then(|dpi| dpi.trim().parse::<f64>().ok())
    {
        Some(dpi) if dpi > 0.0 => {
            let view = || {
                let view: svgtypes::ViewBox = root.attribute("viewBox")?.parse().ok()?;
                Some((view.w, view.h))
            };
            let plain = |length: svgtypes::Length| {
                matches!(
                    length.unit,
                    svgtypes::LengthUnit::None | svgtypes::LengthUnit::Px
                )
                .then_some(length.number)
            };
            let (width, height) = match (width.and_then(plain), height.and_then(plain)) {
                (Some(width), Some(height)) => (width, height),
                _ => view()?,
            };
            (width / dpi, height / dpi)
        }
        _ => (in_inches(width?)?, in_inches(height?)?),
    };
    let sane = |side: f64| (0.1..=200.0).contains(&side);
    (sane(sides.0) && sane(sides.1)).then_some((sides.0 as f32, sides.1 as f32))
}

fn in_inches(length: svgtypes::Length) -> Option<f64> {
    use svgtypes::LengthUnit;
    Some(match length.unit {
        LengthUnit::In => length.number,
        LengthUnit::Cm => length.number / 2.54,
        LengthUnit::Mm => length.number / 25.4,
        LengthUnit::Pt => length.number / 72.0,
        LengthUnit::Pc => length.number / 6.0,
        _ => return None,
    })
}
