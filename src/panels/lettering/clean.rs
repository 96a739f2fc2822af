//! What people type, made safe to letter: no controls, no endless text, emphasis found.

/// The most letters that are looked at. More than that fits into no bubble at a readable size.
const MOST: usize = 400;
/// Marks on one letter; more is mischief.
const MOST_MARKS: usize = 3;

/// Text that is safe to letter.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Clean {
    /// The letters, lines divided by `\n`, without spaces at the ends of lines.
    pub text: String,
    /// For each byte of `text` whether it is emphasised.
    pub strong: Vec<bool>,
    /// Whether something was left out at the end because there was too much.
    pub cut: bool,
}

/// Takes out controls and what cannot be seen, joins spaces, and finds `*emphasis*`.
/// A star that has no partner on its line, or is written `\*`, stays a star.
pub(super) fn clean(written: &str) -> Clean {
    let mut clean = Clean::default();
    // Four bytes a letter, and room for controls between them.
    let mut letters = written.chars().take(MOST * 8).peekable();
    let mut line: Vec<char> = Vec::new();
    let mut count = 0;
    let mut marks = 0;
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\r' => {
                letters.next_if_eq(&'\n');
                '\n'
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            letter => letter,
        };
        if letter == '\n' {
            clean.add(&line);
            line.clear();
            clean.push('\n', false);
            continue;
        }
        if is_mark(letter) {
            marks += 1;
            if marks > MOST_MARKS || line.is_empty() {
                continue;
            }
        } else {
            marks = 0;
        }
        if letter.is_whitespace() {
            if line.last().is_some_and(|last| *last != ' ') {
                line.push(' ');
            }
            continue;
        }
        if unseen(letter) {
            continue;
        }
        match line.last().and_then(|last| composed(*last, letter)) {
            Some(syllable) => {
                line.pop();
                line.push(syllable);
            }
            None => {
                count += 1;
                line.push(letter);
            }
        }
        if count >= MOST {
            clean.cut = true;
            break;
        }
    }
    clean.cut |= letters.peek().is_some() || written.chars().nth(MOST * 8).is_some();
    clean.add(&line);
    // Empty lines at the ends say nothing.
    let start = clean.text.len() - clean.text.trim_start_matches('\n').len();
    clean.text.drain(..start);
    clean.strong.drain(..start);
    let end = clean.text.trim_end_matches('\n').len();
    clean.text.truncate(end);
    clean.strong.truncate(end);
    clean
}

impl Clean {
    fn push(&mut self, letter: char, strong: bool) {
        self.text.push(letter);
        self.strong.resize(self.text.len(), strong);
    }

    /// Adds a line, with its stars turned into emphasis.
    fn add(&mut self, line: &[char]) {
        let line = match line {
            [rest @ .., ' '] => rest,
            whole => whole,
        };
        let is_star =
            |at: usize| line.get(at) == Some(&'*') && (at == 0 || line.get(at - 1) != Some(&'\\'));
        let mut strong_until = None;
        for (at, letter) in line.iter().enumerate() {
            if *letter == '\\' && line.get(at + 1) == Some(&'*') {
                continue;
            }
            if is_star(at) {
                if strong_until == Some(at) {
                    strong_until = None;
                    continue;
                }
                let partner = (at + 2..line.len()).find(|other| is_star(*other));
                if let (None, Some(partner)) = (strong_until, partner) {
                    strong_until = Some(partner);
                    continue;
                }
            }
            self.push(*letter, strong_until.is_some());
        }
    }
}

/// Controls, direction overrides, joiners, variation selectors, tags, what is not assigned to
/// anything that can be drawn.
pub(super) fn unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{ffff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Marks that sit on the letter before them.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A Hangul syllable of its parts: some systems send them apart (Unicode 3.12, Hangul syllable
/// composition).
fn composed(first: char, second: char) -> Option<char> {
    const SYLLABLES: u32 = 0xac00;
    let (first, second) = (u32::from(first), u32::from(second));
    let code = match (first, second) {
        (0x1100..=0x1112, 0x1161..=0x1175) => {
            SYLLABLES + ((first - 0x1100) * 21 + (second - 0x1161)) * 28
        }
        (0xac00..=0xd7a3, 0x11a8..=0x11c2) if (first - SYLLABLES).is_multiple_of(28) => {
            first + (second - 0x11a7)
        }
        _ => return None,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strong(written: &str) -> (String, String) {
        let clean = clean(written);
        let bytes = clean.text.bytes().zip(&clean.strong);
        let strong: Vec<u8> = bytes
            .filter(|(_, strong)| **strong)
            .map(|(byte, _)| byte)
            .collect();
        (clean.text, String::from_utf8(strong).unwrap())
    }

    #[test]
    fn emphasis_is_found_and_lone_stars_stay() {
        for (written, text, emphasised) in [
            ("a *b c* d", "a b c d", "b c"),
            ("5 * 3", "5 * 3", ""),
            (r"\*no\*", "*no*", ""),
            ("*한국*어", "한국어", "한국"),
            ("**", "**", ""),
            ("*a\nb*", "*a\nb*", ""),
            ("*a* and *b*", "a and b", "ab"),
        ] {
            assert_eq!(
                strong(written),
                (text.to_owned(), emphasised.to_owned()),
                "{written}"
            );
        }
    }

    #[test]
    fn controls_are_gone_and_space_is_joined() {
        assert_eq!(clean("\u{202e}a\u{0} \t b\u{7}\u{fe0f}").text, "a b");
        assert_eq!(clean("\n\n a \r\nb  \n").text, "a\nb");
        assert_eq!(clean("\u{feff}\u{200d}").text, "");
        assert_eq!(
            clean("z\u{300}\u{301}\u{302}\u{303}\u{304}")
                .text
                .chars()
                .count(),
            4
        );
    }

    #[test]
    fn parts_of_syllables_are_joined() {
        assert_eq!(
            clean("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}").text,
            "한글"
        );
    }

    #[test]
    fn a_novel_is_cut() {
        let clean = clean(&"가나다 ".repeat(5000));
        assert!(clean.cut && clean.text.chars().count() <= 2 * MOST);
        assert_eq!(clean.text.len(), clean.strong.len());
    }
}
