//! Icons: letters of the Phosphor font, which `theme` installs behind the text fonts.

/// panelcam itself.
pub const APERTURE: &str = "\u{e00a}";
/// Take a photo.
pub const CAMERA: &str = "\u{e10e}";
/// Look again.
pub const REFRESH: &str = "\u{e094}";
/// Open a file.
pub const FOLDER: &str = "\u{e256}";
/// The control panel.
pub const SIDEBAR: &str = "\u{ec24}";
/// Styles.
pub const STYLE: &str = "\u{e6f0}";
/// Pages.
pub const PAGE: &str = "\u{e6d6}";
/// Mirror.
pub const MIRROR: &str = "\u{ed6a}";
/// The picture.
pub const PICTURE: &str = "\u{e2ca}";
/// The engine.
pub const ENGINE: &str = "\u{e610}";
/// Measurements.
pub const FIGURES: &str = "\u{e000}";
/// Before and after.
pub const BEFORE: &str = "\u{e18c}";
/// A warning.
pub const WARNING: &str = "\u{e4e0}";
/// A failure.
pub const FAILED: &str = "\u{e4e2}";
/// Good to know.
pub const INFO: &str = "\u{e2ce}";
/// Chosen or done.
pub const CHECK: &str = "\u{e182}";
/// Done.
pub const CHECK_CIRCLE: &str = "\u{e184}";
/// A video or photo file.
pub const FILM: &str = "\u{e792}";
/// A made picture.
pub const MONITOR: &str = "\u{e32e}";
/// Full screen.
pub const FULL_SCREEN: &str = "\u{e0a2}";
/// A camera.
pub const VIDEO: &str = "\u{e4da}";
/// A camera that is gone.
pub const VIDEO_OFF: &str = "\u{e4dc}";
/// Saved photos.
pub const PHOTOS: &str = "\u{e836}";
/// A page file.
pub const FILE: &str = "\u{ea24}";
/// Opens a list.
pub const CARET_DOWN: &str = "\u{e136}";
/// Seconds before a shot.
pub const TIMER: &str = "\u{e492}";
/// No more.
pub const STOP: &str = "\u{e46e}";
/// Goes on by itself.
pub const NEXT: &str = "\u{e3d0}";
/// Back to what it was, or once more.
pub const UNDO: &str = "\u{e038}";
/// Two change places.
pub const SWAP: &str = "\u{e0a0}";
/// Forget.
pub const TRASH: &str = "\u{e4a6}";
/// Save.
pub const SAVE: &str = "\u{e248}";
/// On paper.
pub const PRINTER: &str = "\u{e3dc}";
/// A bubble.
pub const BUBBLE: &str = "\u{e168}";
/// Words.
pub const TEXT: &str = "\u{e48a}";
/// A vertical scroll.
pub const SCROLL: &str = "\u{eb7a}";
/// Effects.
pub const EFFECT: &str = "\u{e6b6}";
/// Shots.
pub const SHOTS: &str = "\u{e2cc}";
/// A drawing.
pub const SPARKLE: &str = "\u{e6a2}";

/// Other programs.
pub const BROADCAST: &str = "\u{e0f2}";
/// Letting other programs in.
pub const PLUG: &str = "\u{e946}";
/// Into the clipboard.
pub const COPY: &str = "\u{e1ca}";

/// Every icon, so that a test can look for their glyphs.
#[cfg(test)]
pub const ALL: [&str; 42] = [
    TIMER,
    STOP,
    NEXT,
    UNDO,
    SWAP,
    TRASH,
    SAVE,
    PRINTER,
    BUBBLE,
    TEXT,
    SCROLL,
    EFFECT,
    SHOTS,
    APERTURE,
    CAMERA,
    REFRESH,
    FOLDER,
    SIDEBAR,
    STYLE,
    PAGE,
    MIRROR,
    PICTURE,
    ENGINE,
    FIGURES,
    BEFORE,
    WARNING,
    FAILED,
    INFO,
    CHECK,
    CHECK_CIRCLE,
    FILM,
    MONITOR,
    FULL_SCREEN,
    VIDEO,
    VIDEO_OFF,
    PHOTOS,
    FILE,
    CARET_DOWN,
    BROADCAST,
    PLUG,
    COPY,
    SPARKLE,
];
