//! Bubbles: a body, a tail that points at a mouth, and words in it.
//!
//! # Making one
//!
//! Group a shape and a text, and name the group `bubble-NAME`. That is all: the words are laid out
//! into the shape, a tail grows out of it towards the mouth of whoever speaks, and the bubble
//! follows the face, as far from it as it was drawn from the upper middle of its panel.
//!
//! - **The shape** may be any closed outline; it keeps its fill and stroke. One that is not round
//!   all around (a cloud, a burst, a bubble with a tail of its own) is left as it is.
//!   What the artist wrote into it stays as it was written, each line in its size and colour, until
//!   the words change. Only what is longer than the shape is laid out into it.
//! - **No shape**: name the text alone `bubble-NAME`, and a body is drawn around the words, as
//!   large as they need. With a rectangle in place of the shape, it is drawn into the rectangle.
//! - **A tail** that is drawn says how wide tails are: name it `tail`, with its own id inside the
//!   group. `data-tail="none"` takes the tail away.
//! - **`data-kind`** is `speech` (round), `thought` (a cloud), `shout` (a burst), `whisper`
//!   (dashed), `narration` (a box; no tail, it stays where it is) or `phone` (a message). A word of
//!   the name does the same: `bubble-shout-1`. Each kind has its font, unless the text names another
//!   of panelcam's own than BM JUA, or `data-font` names any.
//! - **`data-face`** is the number of the face, from left to right; else it is the one that speaks,
//!   or the largest. `data-panel` is the name of the panel it belongs to, else the one it is on.
//!   `data-follow="no"` nails it to the page.
//! - **`data-direction="vertical"`** writes from top to bottom.
//! - **`data-lines="a|b|c"`** shows one after the other, `data-secs` seconds each (4);
//!   `data-lines-en` where the program speaks English, `data-lines-ko` where it speaks Korean.
//! - **Other shapes** in the group, a shadow or a shine, go where the bubble goes.
//! - **Words** that are written `*so*` are larger and bolder.
//!
//! Programs that write no `data-…` say the same with words of the name.

mod body;
pub(super) mod draw;
mod follow;
mod outline;
pub(super) mod read;
mod tail;

pub use draw::{Balloon, Ground};
pub use follow::{Company, FaceAt};

use super::drawn::Drawn;
use super::lettering::{Align, Direction, Hand};
use super::{Data, Rect, Typeface};
use outline::Outline;

/// What a bubble is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BubbleKind {
    /// Somebody speaks.
    #[default]
    Speech,
    /// Somebody thinks.
    Thought,
    /// Somebody shouts.
    Shout,
    /// Somebody whispers.
    Whisper,
    /// Nobody in the picture speaks.
    Narration,
    /// A message on a phone.
    Phone,
}

impl BubbleKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Speech,
        Self::Thought,
        Self::Shout,
        Self::Whisper,
        Self::Narration,
        Self::Phone,
    ];

    /// What `data-kind` calls it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Speech => "speech",
            Self::Thought => "thought",
            Self::Shout => "shout",
            Self::Whisper => "whisper",
            Self::Narration => "narration",
            Self::Phone => "phone",
        }
    }

    /// What `data-kind` says, or a word of the name.
    fn of(data: &Data, name: &str) -> Option<Self> {
        let named = |word: &str| Self::ALL.into_iter().find(|kind| kind.id() == word);
        match data.get("kind") {
            Some(kind) => named(kind.to_lowercase().as_str()),
            None => name.split('-').find_map(named),
        }
    }

    /// Its font for this text.
    fn face(self, text: &str) -> Typeface {
        let is_hangul = |letter: char| matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '가'..='힣');
        match self {
            Self::Speech | Self::Thought | Self::Whisper => Typeface::Jua,
            Self::Shout if text.chars().any(is_hangul) => Typeface::DoHyeon,
            Self::Shout => Typeface::Bangers,
            Self::Narration => Typeface::NanumPen,
            Self::Phone => Typeface::Pretendard,
        }
    }

    fn has_tail(self) -> bool {
        self != Self::Narration
    }
}

/// A bubble as an artist drew it.
#[derive(Clone, Debug)]
pub struct Bubble {
    /// What it is for.
    pub kind: BubbleKind,
    /// Whose it is.
    pub whose: Whose,
    /// The name of the panel it belongs to, if the artist said.
    pub panel: Option<String>,
    /// Whether it follows a face.
    pub follows: bool,
    /// Where it was drawn, without its tail.
    pub home: Rect,
    form: Form,
    paint: Paint,
    /// Other shapes of the group, under the body and between it and the words.
    beneath: Vec<Drawn>,
    above: Vec<Drawn>,
    tail: Option<Tail>,
    hand: HandOf,
    own: Own,
    /// Whether the artist's words are too long for their body and laid out as others are.
    pub(super) set_anew: bool,
    seed: u32,
}

/// Whose face a bubble follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The one that speaks, or the largest.
    Speaker,
    /// This one from the left, from 0.
    Number(usize),
}

/// What a body looks like.
#[derive(Clone, Debug)]
enum Form {
    /// As the artist drew it.
    Drawn(Outline),
    /// Drawn by us into a box.
    Boxed(Rect),
    /// Drawn by us around the words, in the middle of what the artist wrote.
    Around((f32, f32)),
}

/// Colours and widths.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Paint {
    fill: [u8; 4],
    ink: [u8; 4],
    /// Width of the outline, in page units; 0 is none.
    line: f32,
    opacity: f32,
}

/// What the artist wrote into a body of their own, as it was written: every line in its size and
/// colour. Empty where we draw the body.
#[derive(Clone, Debug, Default)]
struct Own {
    text: String,
    letters: Vec<Drawn>,
}

/// A tail's measures.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tail {
    /// Half of its width; `None`: in proportion to the body.
    half: Option<f32>,
}

/// How the artist wrote.
#[derive(Clone, Copy, Debug, PartialEq)]
struct HandOf {
    /// The font, when it is one of ours and the artist chose it.
    face: Option<Typeface>,
    size: f32,
    ink: [u8; 4],
    direction: Direction,
    align: Align,
    /// In degrees, clockwise.
    turn: f32,
}

impl Bubble {
    /// The hand that writes `text`. A page is `short` units on its short side.
    fn hand(&self, text: &str, short: f32) -> Hand {
        let face = self.hand.face.unwrap_or_else(|| self.kind.face(text));
        // Handwriting is small for its size; shouts are large and whispers small.
        let more = match (self.hand.face, self.kind) {
            (Some(_), _) => 1.0,
            (None, BubbleKind::Narration) => 1.25,
            (None, BubbleKind::Shout) => 1.15,
            (None, BubbleKind::Whisper) => 0.88,
            (None, _) => 1.0,
        };
        Hand {
            face,
            size: self.hand.size * more,
            least: (short * 0.018).min(self.hand.size) * more,
            direction: self.hand.direction,
            align: self.hand.align,
        }
    }

    /// Whether this is what the artist wrote, in a body of their own.
    fn wrote(&self, text: &str) -> bool {
        !self.own.letters.is_empty() && self.own.text == text
    }

    /// The face it follows, of those there are, the leftmost first.
    pub fn choose(&self, faces: &[(FaceAt, bool)]) -> Option<FaceAt> {
        let larger = |a: &&(FaceAt, bool), b: &&(FaceAt, bool)| a.0.height.total_cmp(&b.0.height);
        match self.whose {
            Whose::Number(number) => faces.get(number).map(|(face, _)| *face),
            Whose::Speaker => faces
                .iter()
                .filter(|(_, speaks)| *speaks)
                .max_by(larger)
                .or_else(|| faces.iter().max_by(larger))
                .map(|(face, _)| *face),
        }
    }
}
