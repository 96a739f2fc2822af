//! The secret that requests know.

use std::fmt::Write as _;
use std::hint::black_box;

use sha2::{Digest as _, Sha256};

use super::ServerError;

/// The fewest letters of a token where other machines can try.
pub const SHORTEST: usize = 16;

/// A new token: 128 bits that nobody can guess.
pub fn make() -> Result<String, ServerError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| ServerError::Token(error.to_string()))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // A String takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// A token to compare with, in a time that says nothing of it.
pub struct Token([u8; 32]);

impl Token {
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    pub fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        let pairs = self.0.iter().zip(given);
        black_box(pairs.fold(0, |differs, (a, b)| differs | (a ^ b))) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (a, b) = (make().unwrap(), make().unwrap());
        assert_eq!(a.len(), 32);
        assert_ne!(a, b);
        let token = Token::new(&a);
        assert!(token.is(a.as_bytes()));
        for wrong in [b.as_str(), "", &a[1..], &a.to_uppercase(), &format!("{a} ")] {
            assert!(wrong == a || !token.is(wrong.as_bytes()), "{wrong}");
        }
    }
}
