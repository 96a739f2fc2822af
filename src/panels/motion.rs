//! How words and drawn sounds move: `data-animate="shake"`, `"pulse"` or `"pop"`.
//!
//! Twelve poses a second, as hand-drawn effects have them; each pose is drawn once.

use std::time::Duration;

/// Poses a second.
const POSES_A_SECOND: f32 = 12.0;

/// How words or a drawn sound move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// They tremble.
    Shake,
    /// They beat like a heart.
    Pulse,
    /// They jump out again and again.
    Pop,
}

impl Motion {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Shake, Self::Pulse, Self::Pop];

    /// What `data-animate` says.
    pub fn id(self) -> &'static str {
        match self {
            Self::Shake => "shake",
            Self::Pulse => "pulse",
            Self::Pop => "pop",
        }
    }

    /// The motion that has this id.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|motion| motion.id() == id)
    }

    /// The pose at `time`, from 0: poses of equal numbers look alike.
    pub(super) fn pose(self, time: Duration) -> usize {
        let step = (time.as_secs_f32() * POSES_A_SECOND) as usize;
        match self {
            Self::Shake => [0, 3, 1, 4, 2, 5, 1, 3][step % 8],
            Self::Pulse => [0, 1, 2, 1, 0, 1, 3, 1, 0, 0, 0, 0, 0, 0][step % 14],
            Self::Pop => match step % 36 {
                at @ 0..5 => at + 1,
                _ => 0,
            },
        }
    }

    /// How far, how much turned (degrees), how large a pose is; distances are shares of the words'
    /// height.
    pub(super) fn how(self, pose: usize) -> (f32, f32, f32, f32) {
        let still = (0.0, 0.0, 0.0, 1.0);
        match self {
            Self::Shake => [
                (0.0, 0.0, 0.0, 1.0),
                (0.035, -0.02, 1.4, 1.0),
                (-0.03, 0.025, -1.1, 1.01),
                (0.02, 0.035, -1.7, 1.0),
                (-0.04, -0.02, 0.8, 1.02),
                (0.012, -0.035, 1.9, 0.995),
            ]
            .get(pose)
            .copied()
            .unwrap_or(still),
            Self::Pulse => (
                0.0,
                0.0,
                0.0,
                [1.0, 1.05, 1.12, 1.08].get(pose).copied().unwrap_or(1.0),
            ),
            Self::Pop => {
                let sizes = [1.0, 0.6, 0.92, 1.2, 1.08, 0.97];
                (0.0, 0.0, 0.0, sizes.get(pose).copied().unwrap_or(1.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_motion_moves_and_is_as_drawn_at_the_moment_of_stills() {
        for motion in Motion::ALL {
            assert_eq!(Motion::named(motion.id()), Some(motion));
            let poses = (0..36).map(|step| motion.pose(Duration::from_millis(step * 84)));
            assert!(poses.clone().max() > poses.min(), "{motion:?}");
            let drawn = (0.0, 0.0, 0.0, 1.0);
            assert_eq!(
                motion.how(motion.pose(Duration::from_secs(2))),
                drawn,
                "{motion:?}"
            );
        }
        assert_eq!(Motion::named("wobble"), None);
    }
}
