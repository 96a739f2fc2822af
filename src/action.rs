//! Everything a person can ask for besides changing a setting.

use std::path::PathBuf;

/// A request from the window, a key or another program. One closed list, so that every way of
/// asking does the same thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Save the program as a picture.
    TakePhoto,
    /// Show the camera's picture in place of the drawing while held.
    Compare(bool),
    /// Look for cameras again.
    FindCameras,
    /// Use a photo or video that was dropped on the window or picked.
    OpenSource(PathBuf),
    /// Use a page that was dropped on the window or picked.
    OpenPage(PathBuf),
    /// Make a style of an ONNX file that was dropped on the window or picked.
    AddStyle(PathBuf),
    /// Let the person pick a photo or video in a file dialog.
    PickSource,
    /// Let the person pick a page in a file dialog.
    PickPage,
    /// Let the person pick a model in a file dialog.
    PickStyle,
    /// Switch between full screen and a window.
    ToggleFullScreen,
    /// Go back to a window.
    LeaveFullScreen,
    /// Close the window.
    Quit,
    /// Count down to the next shot, or stop counting.
    StartShots,
    /// Take the next shot at once.
    TakeShot,
    /// Take this shot again, 1 to 9.
    RetakeShot(u8),
    /// Let two shots change places.
    SwapShots(u8, u8),
    /// Forget all shots of the page.
    ClearShots,
    /// Save the page with its shots.
    FinishStrip,
    /// Let bubbles with several lines show the next one.
    NextLine,
    /// Show the folder with saved pictures in the system's file manager.
    ShowPhotos,
}
