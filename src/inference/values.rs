//! The tensors of a network, whatever type their elements have.

use half::f16;
use ort::memory::Allocator;
use ort::session::{IoBinding, SessionInputValue};
use ort::value::{DynValue, Tensor, TensorElementType};

/// Types of elements that pictures and numbers are fed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// float32.
    F32,
    /// float16.
    F16,
    /// 8 bits, 0 to 255.
    U8,
    /// 32 bits with a sign.
    I32,
    /// 64 bits with a sign.
    I64,
}

impl Element {
    /// `None` for types no picture is fed as.
    pub(super) fn of(element: TensorElementType) -> Option<Self> {
        match element {
            TensorElementType::Float32 => Some(Self::F32),
            TensorElementType::Float16 => Some(Self::F16),
            TensorElementType::Uint8 => Some(Self::U8),
            TensorElementType::Int32 => Some(Self::I32),
            TensorElementType::Int64 => Some(Self::I64),
            _ => None,
        }
    }

    /// Bytes of one, with those of the copy that other types than float32 are converted in.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2 + 4,
            Self::U8 => 1 + 4,
            Self::I32 => 4 + 4,
            Self::I64 => 8 + 4,
        }
    }

    /// Whether it holds pictures.
    pub(super) fn holds_pictures(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::U8)
    }
}

/// A tensor that is written and read as float32; other types keep a copy for the conversion.
pub(super) struct Values {
    tensor: Typed,
    /// Empty for float32.
    copy: Vec<f32>,
}

enum Typed {
    F32(Tensor<f32>),
    F16(Tensor<f16>),
    U8(Tensor<u8>),
    I32(Tensor<i32>),
    I64(Tensor<i64>),
}

/// Does the same for each type.
macro_rules! each {
    ($typed:expr, $tensor:ident => $body:expr) => {
        match $typed {
            Typed::F32($tensor) => $body,
            Typed::F16($tensor) => $body,
            Typed::U8($tensor) => $body,
            Typed::I32($tensor) => $body,
            Typed::I64($tensor) => $body,
        }
    };
}

impl Values {
    /// Zeros.
    pub(super) fn zeros(element: Element, shape: &[i64]) -> ort::Result<Self> {
        let allocator = Allocator::default();
        let count = usize::try_from(shape.iter().product::<i64>()).unwrap_or_default();
        let tensor = match element {
            Element::F32 => Typed::F32(Tensor::new(&allocator, shape)?),
            Element::F16 => Typed::F16(Tensor::new(&allocator, shape)?),
            Element::U8 => Typed::U8(Tensor::new(&allocator, shape)?),
            Element::I32 => Typed::I32(Tensor::new(&allocator, shape)?),
            Element::I64 => Typed::I64(Tensor::new(&allocator, shape)?),
        };
        let mut values = Self {
            tensor,
            copy: match element {
                Element::F32 => Vec::new(),
                _ => vec![0.0; count],
            },
        };
        values.write(|numbers| numbers.fill(0.0))?;
        Ok(values)
    }

    /// Lets `fill` write all values. Whole numbers are rounded and kept in their range.
    pub(super) fn write(&mut self, fill: impl FnOnce(&mut [f32])) -> ort::Result<()> {
        let Self { tensor, copy } = self;
        match tensor {
            Typed::F32(tensor) => fill(tensor.try_extract_tensor_mut::<f32>()?.1),
            Typed::F16(tensor) => {
                fill(copy);
                let (_, numbers) = tensor.try_extract_tensor_mut::<f16>()?;
                convert(copy, numbers, f16_from_f32);
            }
            Typed::U8(tensor) => {
                fill(copy);
                let (_, numbers) = tensor.try_extract_tensor_mut::<u8>()?;
                convert(copy, numbers, |value| value.round() as u8);
            }
            Typed::I32(tensor) => {
                fill(copy);
                let (_, numbers) = tensor.try_extract_tensor_mut::<i32>()?;
                convert(copy, numbers, |value| value.round() as i32);
            }
            Typed::I64(tensor) => {
                fill(copy);
                let (_, numbers) = tensor.try_extract_tensor_mut::<i64>()?;
                convert(copy, numbers, |value| value.round() as i64);
            }
        }
        Ok(())
    }

    /// All values.
    pub(super) fn read(&mut self) -> ort::Result<&[f32]> {
        let Self { tensor, copy } = self;
        match tensor {
            Typed::F32(tensor) => return Ok(tensor.try_extract_tensor::<f32>()?.1),
            Typed::F16(tensor) => {
                let (_, numbers) = tensor.try_extract_tensor::<f16>()?;
                convert(numbers, copy, f32_from_f16);
            }
            Typed::U8(tensor) => {
                let (_, numbers) = tensor.try_extract_tensor::<u8>()?;
                convert(numbers, copy, f32::from);
            }
            Typed::I32(tensor) => {
                let (_, numbers) = tensor.try_extract_tensor::<i32>()?;
                convert(numbers, copy, |value| value as f32);
            }
            Typed::I64(tensor) => {
                let (_, numbers) = tensor.try_extract_tensor::<i64>()?;
                convert(numbers, copy, |value| value as f32);
            }
        }
        Ok(copy)
    }

    /// Makes a binding's runs read this tensor.
    pub(super) fn bind_input(&self, binding: &mut IoBinding, name: &str) -> ort::Result<()> {
        each!(&self.tensor, tensor => binding.bind_input(name, tensor))
    }

    /// Makes a binding's runs write this tensor.
    pub(super) fn bind_output(&mut self, binding: &mut IoBinding, name: &str) -> ort::Result<()> {
        each!(&mut self.tensor, tensor => binding.bind_output(name, tensor))
    }

    /// For a run without a binding.
    pub(super) fn input(&self) -> SessionInputValue<'_> {
        each!(&self.tensor, tensor => tensor.view().into())
    }
}

/// The shape and the values of what a run gave; `None` for types no picture comes as.
pub(super) fn extract(value: &DynValue) -> Option<(Vec<i64>, Vec<f32>)> {
    fn of<T: ort::value::PrimitiveTensorElementType + Copy + std::fmt::Debug>(
        value: &DynValue,
        convert: impl Fn(T) -> f32,
    ) -> Option<(Vec<i64>, Vec<f32>)> {
        let (shape, numbers) = value.try_extract_tensor::<T>().ok()?;
        let numbers = numbers.iter().map(|number| convert(*number));
        Some((shape.to_vec(), numbers.collect()))
    }
    of::<f32>(value, |number| number)
        .or_else(|| of::<f16>(value, f32_from_f16))
        .or_else(|| of::<u8>(value, f32::from))
}

fn convert<A: Copy, B>(from: &[A], to: &mut [B], convert: impl Fn(A) -> B) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = convert(*from);
    }
}

/// 2 to the 112: between the exponents of float32 and float16.
const EXPONENTS: f32 = f32::from_bits((127 + 112) << 23);

/// Whole words and no branches, so that the compiler makes SIMD of it.
#[inline(always)]
fn f32_from_f16(value: f16) -> f32 {
    let bits = u32::from(value.to_bits());
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * EXPONENTS;
    // Infinite and not a number stay so.
    let special = if bits & 0x7c00 == 0x7c00 {
        0x7f80_0000
    } else {
        0
    };
    f32::from_bits(magnitude.to_bits() | special | (bits & 0x8000) << 16)
}

/// Rounded to the nearest; what is too large becomes the largest.
#[inline(always)]
fn f16_from_f32(value: f32) -> f16 {
    const LARGEST: f32 = 65504.0;
    let magnitude = value.abs();
    let magnitude = if magnitude < LARGEST {
        magnitude
    } else {
        LARGEST
    };
    let bits = (magnitude * (1.0 / EXPONENTS)).to_bits();
    let rounded = (bits + 0xfff + ((bits >> 13) & 1)) >> 13;
    f16::from_bits(((value.to_bits() >> 16) & 0x8000) as u16 | rounded as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_converted_as_the_standard_says() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            let (ours, theirs) = (f32_from_f16(half), half.to_f32());
            assert!(
                ours == theirs || !ours.is_finite() && !theirs.is_finite(),
                "{bits:x}: {ours} {theirs}"
            );
            if theirs.is_finite() {
                assert_eq!(f16_from_f32(theirs), half, "{bits:x}");
            }
        }
        for value in [0.1, -0.3, 1.0 / 255.0, 254.9, 1e-3, 1e9, -7.77] {
            let expected = f16::from_f32(f32::clamp(value, -65504.0, 65504.0));
            assert_eq!(f16_from_f32(value), expected, "{value}");
        }
    }

    #[test]
    fn only_number_types_hold_pictures() {
        assert_eq!(Element::of(TensorElementType::String), None);
        assert_eq!(Element::of(TensorElementType::Bool), None);
        assert!(Element::of(TensorElementType::Float16).is_some_and(Element::holds_pictures));
        assert!(!Element::of(TensorElementType::Int64).is_some_and(Element::holds_pictures));
    }
}
