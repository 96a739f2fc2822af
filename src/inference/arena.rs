//! What ONNX Runtime's runs take from its own store of memory, as it counts that itself.

use std::ffi::CStr;
use std::ptr;

use ort::AsPointer as _;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;

/// The most bytes that were in use at once.
const PEAK: &CStr = c"MaxInUse";

/// The most bytes of the CPU's memory that runs of `session` had in use at once up to now; `None` where
/// ONNX Runtime does not count.
pub(super) fn peak(session: &Session) -> Option<u64> {
    let device = (AllocationDevice::CPU, AllocatorType::Device);
    let info = MemoryInfo::new(device.0, 0, device.1, MemoryType::Default).ok()?;
    let allocator = Allocator::new(session, info).ok()?;
    let api = ort::api();
    let mut counts = ptr::null_mut();
    #[expect(unsafe_code, reason = "ort has no call for it")]
    // SAFETY: the allocator lives until the end of this function; what is counted is a list of texts that
    // is ours until it is released, and no text of it is used after that.
    unsafe {
        let status = (api.AllocatorGetStats)(allocator.ptr(), &mut counts);
        if !status.0.is_null() {
            (api.ReleaseStatus)(status.0);
            return None;
        }
        let found = (api.GetKeyValue)(counts, PEAK.as_ptr());
        let text = (!found.is_null()).then(|| CStr::from_ptr(found).to_string_lossy().into_owned());
        (api.ReleaseKeyValuePairs)(counts);
        text?.parse().ok()
    }
}
