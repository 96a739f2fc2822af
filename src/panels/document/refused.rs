//! Why a file is no SVG, in an artist's words.

use usvg::roxmltree::Error;

/// The file as text, or what it is instead.
pub(super) fn text_of(file: &[u8]) -> Result<&str, String> {
    if file.is_empty() {
        return Err("the file is empty".to_owned());
    }
    if file.starts_with(&[0x1f, 0x8b]) {
        return Err("it is compressed".to_owned());
    }
    if file.starts_with(b"%PDF") {
        return Err("it is a PDF".to_owned());
    }
    let format = image::guess_format(file).ok();
    if let Some(name) = format.and_then(|format| format.extensions_str().first()) {
        return Err(format!("it is a {} picture", name.to_uppercase()));
    }
    if file.starts_with(&[0xff, 0xfe]) || file.starts_with(&[0xfe, 0xff]) {
        return Err("its text is UTF-16, not UTF-8".to_owned());
    }
    let text = std::str::from_utf8(file).map_err(|_place| "its text is not UTF-8".to_owned())?;
    let begins = text.trim_start_matches('\u{feff}').trim_start();
    if !begins.starts_with('<') {
        return Err("it is text without a drawing".to_owned());
    }
    Ok(text)
}

/// Why the text is no XML. The parser's own words come last, for those who write SVG by hand.
pub(super) fn why(error: &Error) -> String {
    match error {
        Error::UnexpectedEndOfStream | Error::UnclosedRootNode => {
            "the file is cut off, its end is missing".to_owned()
        }
        Error::NoRootNode => "there is no drawing in it, or it is cut off".to_owned(),
        Error::EntityReferenceLoop(_) => {
            "it nests entities, words that stand for other text, without end".to_owned()
        }
        Error::UnknownEntityReference(name, _) => {
            format!("it does not say what its entity &{name}; stands for")
        }
        other => format!("its line {} is damaged ({other})", other.pos().row),
    }
}
