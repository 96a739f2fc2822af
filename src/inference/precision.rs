//! How exactly a network calculates.
//!
//! A model may come with a second file that draws the same in 8 bits (`[eight_bit]` in its
//! `model.toml`). It is used where that is faster and exact: on processors that multiply bytes and
//! sum the products in one instruction. Others cut such sums off at 16 bits, and graphics cards have
//! no use for it.

use super::model::Model;
use crate::settings::Provider;
use crate::status::Precision;

/// What `provider` draws `model` with on this machine.
pub(super) fn precision(model: &Model, provider: Provider) -> Precision {
    if provider == Provider::Cpu && model.has_eight_bit() && sums_bytes() {
        Precision::EightBit
    } else {
        Precision::Full
    }
}

/// Whether this processor has VNNI. Newer ARM ones have the like, but nobody has measured it there.
fn sums_bytes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}
