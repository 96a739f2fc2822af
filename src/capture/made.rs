//! Sources that panelcam makes or holds itself: the demo, the pattern, a photo.

use std::time::{Duration, Instant};

use super::sender::Sender;
use super::{Demo, Pattern};
use crate::frame::Picture;
use crate::status::SourceState;
use crate::worker::Stop;

/// A source that needs no device.
pub(super) enum Made {
    Demo(Demo),
    Pattern(Pattern),
    /// The same picture again and again, so that a change of settings shows.
    Photo {
        picture: Picture,
        name: String,
    },
}

/// Sends frames at `fps` until asked to stop.
pub(super) fn run(mut made: Made, fps: u32, sender: &Sender, stop: &Stop) {
    let interval = Duration::from_secs(1) / fps.clamp(1, 240);
    let mut announced = false;
    let mut due = Instant::now();
    let mut number = 0_u64;
    while !stop.asked() {
        let captured = Instant::now();
        let mut picture = sender.picture();
        match &mut made {
            // The demo's motion is made for 30 a second, whatever the rate.
            Made::Demo(demo) => demo.draw(number * 30 / u64::from(fps.clamp(1, 240)), &mut picture),
            Made::Pattern(pattern) => pattern.draw(number, &mut picture),
            Made::Photo { picture: photo, .. } => picture.copy_from(photo),
        }
        if !announced {
            announced = true;
            sender.board.set_source(SourceState::Live {
                name: match &made {
                    Made::Demo(_) => "Demo".to_owned(),
                    Made::Pattern(_) => "Test pattern".to_owned(),
                    Made::Photo { name, .. } => name.clone(),
                },
                size: picture.size(),
                format: String::new(),
            });
        }
        sender.send(picture, captured, captured.elapsed());
        due += interval;
        number += 1;
        let now = Instant::now();
        // Late by more than a frame: the frames in between are left out, as a camera would.
        while due + interval < now {
            due += interval;
            number += 1;
            sender.skip();
        }
        while !stop.asked() && Instant::now() < due {
            stop.sleep(due - Instant::now().min(due));
        }
    }
}
