//! Fonts that a page carries in its style sheets.

use usvg::roxmltree::Document;

use super::kind_of;

/// A font from `@font-face`.
pub(in crate::panels) struct EmbeddedFont {
    /// What the page calls it.
    pub family: String,
    /// The file: TrueType or OpenType.
    pub file: Vec<u8>,
}

/// The most fonts of a page that are used, and the largest.
const MOST: usize = 8;
const LARGEST: usize = 6 << 20;

/// The fonts in a document's style sheets, and what is wrong with others.
pub(super) fn embedded(document: &Document) -> (Vec<EmbeddedFont>, Vec<String>) {
    let (mut fonts, mut warnings) = (Vec::new(), Vec::new());
    for style in document.descendants() {
        if kind_of(style) != Some("style") {
            continue;
        }
        for text in style.children().filter_map(|piece| piece.text()) {
            for block in blocks(text) {
                if fonts.len() >= MOST {
                    warnings.push(format!("The page carries more than {MOST} fonts."));
                    return (fonts, warnings);
                }
                let Some(family) = value(block, "font-family") else {
                    continue;
                };
                let family: String = family
                    .trim_matches(['"', '\'', ' '])
                    .chars()
                    .take(80)
                    .collect();
                match file(block) {
                    Ok(file) => fonts.push(EmbeddedFont { family, file }),
                    Err(why) => warnings.push(format!(
                        "The font {family} cannot be used: {why}. Convert the text to paths to keep its look."
                    )),
                }
            }
        }
    }
    (fonts, warnings)
}

/// A style sheet without its fonts: they may be large, and are read once.
pub(super) fn without_fonts(sheet: &str) -> String {
    let mut rest = sheet;
    let mut kept = String::new();
    while let Some(at) = rest.find("@font-face") {
        kept.push_str(&rest[..at]);
        rest = rest[at..].split_once('}').map_or("", |(_, after)| after);
    }
    kept + rest
}

/// What stands between the braces of each `@font-face`.
fn blocks(sheet: &str) -> impl Iterator<Item = &str> {
    sheet.split("@font-face").skip(1).filter_map(|block| {
        let (_, inside) = block.split_once('{')?;
        inside.split('}').next()
    })
}

/// The value of a property; semicolons inside a `url(…)` are part of it.
fn value<'a>(block: &'a str, property: &str) -> Option<&'a str> {
    let mut rest = block;
    loop {
        let mut depth = 0;
        let end = rest.find(|letter: char| {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            letter == ';' && depth <= 0
        });
        let (declaration, after) = match end {
            Some(end) => (&rest[..end], Some(&rest[end + 1..])),
            None => (rest, None),
        };
        if let Some((name, value)) = declaration.split_once(':')
            && name.trim() == property
        {
            return Some(value.trim());
        }
        rest = after?;
    }
}

/// The font's bytes.
fn file(block: &str) -> Result<Vec<u8>, &'static str> {
    let source = value(block, "src").unwrap_or_default();
    let mut linked = false;
    for url in source.split("url(").skip(1) {
        let url = url.split(')').next().unwrap_or_default();
        let url = url.trim().trim_matches(['"', '\'']);
        if !url.starts_with("data:") {
            linked = true;
            continue;
        }
        if url.len() > LARGEST * 3 / 2 {
            return Err("it is too large");
        }
        let decoded = data_url::DataUrl::process(url)
            .ok()
            .and_then(|data| data.decode_to_vec().ok());
        let Some((file, _)) = decoded else {
            return Err("it is damaged");
        };
        return match file.get(..4) {
            Some(b"\x00\x01\x00\x00" | b"OTTO" | b"true" | b"ttcf") => Ok(file),
            Some(b"wOFF" | b"wOF2") => {
                Err("it is embedded as a web font, of which the letters cannot be read")
            }
            _ => Err("it is damaged"),
        };
    }
    Err(if linked {
        "it is linked, not embedded, and nothing is fetched"
    } else {
        "it is named but not embedded"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_values_are_found() {
        let sheet = "a{b:c}@font-face { font-family: 'X Y'; src: url(data:a;base64,AA==) format('truetype'), url(x) ; } .d{e:f} @font-face{}";
        let found: Vec<&str> = blocks(sheet).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(value(found[0], "font-family"), Some("'X Y'"));
        assert!(
            value(found[0], "src")
                .unwrap()
                .starts_with("url(data:a;base64,AA==)")
        );
        assert_eq!(value(found[1], "src"), None);
        assert_eq!(without_fonts(sheet), "a{b:c} .d{e:f} ");
        assert_eq!(without_fonts("@font-face{never ends"), "");
    }
}
