//! The graphics device.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::CompositorError;

/// A graphics device, ready to use. Shared by the compositor and a window.
pub struct Gpu {
    /// What the device was made from.
    pub instance: wgpu::Instance,
    /// The card, or the software that stands in for one.
    pub adapter: wgpu::Adapter,
    /// Makes textures and pipelines.
    pub device: wgpu::Device,
    /// Takes work.
    pub queue: wgpu::Queue,
    /// Name of the adapter, for people.
    pub name: String,
    /// Whether the CPU does the drawing.
    pub software: bool,
    trouble: Arc<Trouble>,
}

/// What wgpu reports at any time, on any thread.
#[derive(Default)]
struct Trouble {
    lost: AtomicBool,
    message: Mutex<Option<String>>,
}

impl Gpu {
    /// A device that needs no window: a graphics card, or software when there is none.
    /// `WGPU_BACKEND` picks a backend.
    ///
    /// # Errors
    /// When the machine has no graphics driver at all.
    pub fn headless() -> Result<Arc<Self>, CompositorError> {
        let (instance, adapter) =
            find(wgpu::Backends::PRIMARY).or_else(|_| find(wgpu::Backends::SECONDARY))?;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("panelcam"),
            required_limits: wgpu::Limits::downlevel_defaults().using_resolution(adapter.limits()),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| CompositorError::NoDevice(error.to_string()))?;
        Ok(Self::from_parts(instance, adapter, device, queue))
    }

    /// A device that a window has made.
    pub fn from_parts(
        instance: wgpu::Instance,
        adapter: wgpu::Adapter,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Arc<Self> {
        let about = adapter.get_info();
        let trouble = Arc::new(Trouble::default());
        let errors = Arc::clone(&trouble);
        // wgpu's own handler panics.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            // A window that is resized while programs are drawn: wgpu gives up when another
            // thread submits meanwhile, and the window asks again at its next frame.
            if error
                .to_string()
                .contains("before reconfiguring the Surface")
            {
                tracing::debug!("The window's surface is busy: {error}");
                return;
            }
            let mut message = errors.message.lock();
            if message.is_none() {
                tracing::error!("Graphics error: {error}");
                *message = Some(error.to_string());
            }
        }));
        let lost = Arc::clone(&trouble);
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the device at the end is reported as a loss too.
            if reason != wgpu::DeviceLostReason::Destroyed {
                tracing::warn!("The graphics device is lost: {message}");
                lost.lost.store(true, Ordering::Release);
            }
        });
        Arc::new(Self {
            software: about.device_type == wgpu::DeviceType::Cpu,
            name: about.name,
            instance,
            adapter,
            device,
            queue,
            trouble,
        })
    }

    /// The longest side a texture may have.
    pub fn max_side(&self) -> u32 {
        self.device.limits().max_texture_dimension_2d
    }

    /// What went wrong since the last call.
    ///
    /// # Errors
    /// When the device is lost, or an operation was refused.
    pub fn check(&self) -> Result<(), CompositorError> {
        if self.trouble.lost.load(Ordering::Acquire) {
            return Err(CompositorError::Lost(self.name.clone()));
        }
        match self.trouble.message.lock().take() {
            Some(message) => Err(CompositorError::Refused(message)),
            None => Ok(()),
        }
    }
}

/// The best adapter of some backends. OpenGL is among the secondary ones and is looked at last:
/// without a display it complains on standard error before it gives up.
fn find(backends: wgpu::Backends) -> Result<(wgpu::Instance, wgpu::Adapter), CompositorError> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::from_env().unwrap_or(backends);
    let instance = wgpu::Instance::new(descriptor);
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..wgpu::RequestAdapterOptions::default()
    };
    let adapter = pollster::block_on(instance.request_adapter(&options))
        .map_err(|error| CompositorError::NoDriver(error.to_string()))?;
    Ok((instance, adapter))
}
