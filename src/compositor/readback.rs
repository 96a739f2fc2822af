//! From the GPU to memory, without making the one who draws wait.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::frame::{Picture, Size};
use crate::mailbox::{Mailbox, Taken};

use super::program::Inner;
use super::{CompositorError, Gpu, ProgramTexture};

/// A device that takes longer than this for a program hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Buffers that pixels are copied through; they are used again.
pub(super) struct Staging {
    gpu: Arc<Gpu>,
    free: Arc<Mutex<Vec<wgpu::Buffer>>>,
}

/// Pixels on their way to memory.
pub struct Reading {
    way: Way,
}

enum Way {
    /// From the device.
    Device(Mapping),
    /// They are there already.
    Memory(ProgramTexture),
}

struct Mapping {
    gpu: Arc<Gpu>,
    buffer: Option<wgpu::Buffer>,
    home: Arc<Mutex<Vec<wgpu::Buffer>>>,
    submission: wgpu::SubmissionIndex,
    mapped: Arc<Mailbox<Result<(), wgpu::BufferAsyncError>>>,
    size: Size,
}

impl Staging {
    /// The most buffers that are kept.
    const MOST: usize = 4;

    pub fn new(gpu: Arc<Gpu>) -> Self {
        Self {
            gpu,
            free: Arc::default(),
        }
    }

    /// Appends the copy of `program` to `commands` and hands them to the device.
    pub fn read(&self, program: &ProgramTexture, mut commands: wgpu::CommandEncoder) -> Reading {
        let size = program.size();
        let stride = stride(size);
        let bytes = u64::from(stride) * u64::from(size.height);
        let buffer = self.buffer(bytes);
        commands.copy_texture_to_buffer(
            program.texture().as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(stride),
                    rows_per_image: None,
                },
            },
            program.texture().size(),
        );
        let submission = self.gpu.queue.submit([commands.finish()]);
        let mapped = Arc::new(Mailbox::new());
        let answer = Arc::clone(&mapped);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            answer.send(result);
        });
        Reading {
            way: Way::Device(Mapping {
                gpu: Arc::clone(&self.gpu),
                buffer: Some(buffer),
                home: Arc::clone(&self.free),
                submission,
                mapped,
                size,
            }),
        }
    }

    fn buffer(&self, bytes: u64) -> wgpu::Buffer {
        let mut free = self.free.lock();
        free.retain(|buffer| buffer.size() == bytes);
        free.pop().unwrap_or_else(|| {
            self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("readback"),
                size: bytes,
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            })
        })
    }
}

impl Reading {
    /// Of a program that was composited in memory.
    pub(super) fn of(program: ProgramTexture) -> Self {
        Self {
            way: Way::Memory(program),
        }
    }

    /// Waits for the pixels and puts them into `picture`, premultiplied.
    ///
    /// # Errors
    /// When the device is lost or does not answer.
    pub fn finish(self, picture: &mut Picture) -> Result<(), CompositorError> {
        match self.way {
            Way::Device(mapping) => mapping.finish(picture),
            Way::Memory(program) => {
                if let Inner::Memory(composed) = program.inner {
                    match Arc::try_unwrap(composed) {
                        // Nobody else looks at it: no copy is needed.
                        Ok(mut composed) => std::mem::swap(picture, &mut *composed.picture),
                        Err(composed) => picture.copy_from(&composed.picture),
                    }
                }
                Ok(())
            }
        }
    }
}

impl Mapping {
    fn finish(self, picture: &mut Picture) -> Result<(), CompositorError> {
        wait(&self.gpu, self.submission.clone())?;
        answered(&self.gpu, &self.mapped)?;
        let Some(buffer) = &self.buffer else {
            return Err(CompositorError::Refused("no buffer".to_owned()));
        };
        picture.reshape(self.size);
        let view = buffer
            .get_mapped_range(..)
            .map_err(|error| CompositorError::Refused(error.to_string()))?;
        let (stride, row) = (stride(self.size) as usize, self.size.width as usize * 4);
        if stride == row {
            picture.rgba_mut().copy_from_slice(&view);
        } else {
            let rows = picture.rgba_mut().chunks_exact_mut(row);
            for (row, padded) in rows.zip(view.chunks_exact(stride)) {
                row.copy_from_slice(&padded[..row.len()]);
            }
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            // Also calls off a mapping that is still to come.
            buffer.unmap();
            let mut home = self.home.lock();
            if home.len() < Staging::MOST {
                home.push(buffer);
            }
        }
    }
}

/// Appends the copy of a texture to `commands`, hands them to the device, and waits for the pixels:
/// rows packed.
pub(super) fn bytes(
    gpu: &Gpu,
    texture: &wgpu::Texture,
    bytes_per_pixel: u32,
    mut commands: wgpu::CommandEncoder,
) -> Result<Vec<u8>, CompositorError> {
    let row = texture.width() * bytes_per_pixel;
    let stride = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("drawing"),
        size: u64::from(stride) * u64::from(texture.height()),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    commands.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(stride),
                rows_per_image: None,
            },
        },
        texture.size(),
    );
    let submission = gpu.queue.submit([commands.finish()]);
    let mapped = Arc::new(Mailbox::new());
    let answer = Arc::clone(&mapped);
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        answer.send(result);
    });
    wait(gpu, submission)?;
    answered(gpu, &mapped)?;
    let view = buffer
        .get_mapped_range(..)
        .map_err(|error| CompositorError::Refused(error.to_string()))?;
    let rows = view.chunks_exact(stride as usize);
    Ok(rows
        .flat_map(|padded| &padded[..row as usize])
        .copied()
        .collect())
}

/// Waits until a buffer is mapped; another thread's poll may be the one that delivers the answer.
fn answered(
    gpu: &Gpu,
    mapped: &Mailbox<Result<(), wgpu::BufferAsyncError>>,
) -> Result<(), CompositorError> {
    match mapped.take_within(PATIENCE) {
        Taken::Value(Ok(())) => Ok(()),
        Taken::Value(Err(error)) => {
            gpu.check()?;
            Err(CompositorError::Refused(error.to_string()))
        }
        Taken::TimedOut | Taken::Closed => Err(CompositorError::Hangs(gpu.name.clone())),
    }
}

/// Waits until the device has done a submission.
pub(super) fn wait(gpu: &Gpu, submission: wgpu::SubmissionIndex) -> Result<(), CompositorError> {
    let until = wgpu::PollType::Wait {
        submission_index: Some(submission),
        timeout: Some(PATIENCE),
    };
    if let Err(error) = gpu.device.poll(until) {
        gpu.check()?;
        tracing::debug!("{error}");
        return Err(CompositorError::Hangs(gpu.name.clone()));
    }
    gpu.check()
}

/// Bytes from row to row in a buffer: copies need them aligned.
fn stride(size: Size) -> u32 {
    (size.width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT)
}
