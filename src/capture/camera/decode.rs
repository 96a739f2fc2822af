//! A camera's bytes to a picture: MJPEG, YUYV, NV12, RGB and BGR, with nothing allocated once a
//! decoder has seen a first frame.

use std::fmt;
use std::str::FromStr;

use memchr::memchr;
use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};
use yuv::{
    YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvRange, YuvStandardMatrix,
    yuv_nv12_to_rgba, yuyv422_to_rgba,
};

use super::splice::Splices;
use crate::frame::{Picture, Size};

/// How a camera packs its pixels, of those that panelcam reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FourCc {
    /// A JPEG a frame.
    Mjpeg,
    /// 4:2:2, two pixels in four bytes.
    Yuyv,
    /// 4:2:0, brightness first, then colour.
    Nv12,
    /// Three bytes a pixel.
    Rgb,
    /// Three bytes a pixel, blue first.
    Bgr,
}

impl FourCc {
    /// All.
    pub const ALL: [Self; 5] = [Self::Mjpeg, Self::Yuyv, Self::Nv12, Self::Rgb, Self::Bgr];

    /// Its name, as in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mjpeg => "MJPEG",
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Rgb => "RGB3",
            Self::Bgr => "BGR3",
        }
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FourCc {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_uppercase().as_str() {
            "MJPEG" | "MJPG" | "JPEG" => Ok(Self::Mjpeg),
            "YUYV" | "YUY2" => Ok(Self::Yuyv),
            "NV12" => Ok(Self::Nv12),
            "RGB3" | "RGB" => Ok(Self::Rgb),
            "BGR3" | "BGR" => Ok(Self::Bgr),
            _ => Err(()),
        }
    }
}

/// Why a frame cannot be shown. What the picture holds afterwards is not defined.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The buffer is too short for the size.
    #[error("a frame of {got} bytes came where {needed} are needed")]
    Short {
        /// Bytes that came.
        got: usize,
        /// Bytes that a frame has.
        needed: usize,
    },
    /// No JPEG with an end in it.
    #[error("a frame that is no whole JPEG came")]
    NoJpeg,
    /// The beginning of a new frame with the end of an older one.
    #[error("a frame that was cut off came")]
    CutOff,
    /// The decoder found damage.
    #[error("a damaged frame came: {0}")]
    Damaged(String),
}

/// Turns a camera's bytes into pictures.
pub struct Decoder {
    jpeg: Decompressor,
    splices: Splices,
}

impl Decoder {
    /// A decoder for all formats.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> Result<Self, DecodeError> {
        Ok(Self {
            jpeg: Decompressor::new().map_err(damaged)?,
            splices: Splices::default(),
        })
    }

    /// Decodes one frame of `size` into `picture`. JPEGs, whose own size counts where it differs a
    /// little, are made smaller while decoding, to a half, a quarter or an eighth, as long as they cover `need`.
    ///
    /// # Errors
    /// When the frame is not whole and sound; it must not be shown then.
    pub fn decode(
        &mut self,
        format: FourCc,
        size: Size,
        bytes: &[u8],
        need: Size,
        picture: &mut Picture,
    ) -> Result<(), DecodeError> {
        match format {
            FourCc::Mjpeg => self.decode_jpeg(size, bytes, need, picture),
            FourCc::Yuyv => yuyv(size, bytes, picture),
            FourCc::Nv12 => nv12(size, bytes, picture),
            FourCc::Rgb => three_bytes(size, bytes, picture, [0, 1, 2]),
            FourCc::Bgr => three_bytes(size, bytes, picture, [2, 1, 0]),
        }
    }

    fn decode_jpeg(
        &mut self,
        size: Size,
        bytes: &[u8],
        need: Size,
        picture: &mut Picture,
    ) -> Result<(), DecodeError> {
        let bytes = whole_jpeg(bytes).ok_or(DecodeError::NoJpeg)?;
        if self.splices.has(bytes) {
            return Err(DecodeError::CutOff);
        }
        let header = self.jpeg.read_header(bytes).map_err(damaged)?;
        // A flipped bit in the header must not cost a gigabyte. Cameras are a few rows off at most.
        let area = header.width.saturating_mul(header.height);
        if area == 0 || area > size.area().saturating_mul(2) {
            return Err(DecodeError::Damaged(format!(
                "its size is {}x{} instead of {size}",
                header.width, header.height
            )));
        }
        let factor = if header.is_lossless {
            ScalingFactor::ONE
        } else {
            smallest_cover(Size::new(header.width as u32, header.height as u32), need)
        };
        self.jpeg.set_scaling_factor(factor).map_err(damaged)?;
        let (width, height) = (factor.scale(header.width), factor.scale(header.height));
        picture.reshape(Size::new(width as u32, height as u32));
        let output = Image {
            pixels: picture.rgba_mut(),
            width,
            pitch: width * 4,
            height,
            format: PixelFormat::RGBA,
        };
        match self.jpeg.decompress(bytes, output) {
            Ok(()) => Ok(()),
            // Many webcams pad before a marker: libjpeg warns, the picture is whole.
            Err(error) if is_padding(&error) => Ok(()),
            Err(error) => Err(damaged(error)),
        }
    }
}

fn damaged(error: turbojpeg::Error) -> DecodeError {
    DecodeError::Damaged(error.to_string())
}

fn is_padding(error: &turbojpeg::Error) -> bool {
    matches!(error, turbojpeg::Error::TurboJpegError(text)
        if text.contains("extraneous bytes before marker 0xd9"))
}

/// The smallest quick scale at which `size` still covers `need` on both sides. Eighths that are
/// not powers of two are slower in libjpeg-turbo than no scaling at all: it has no SIMD for them.
fn smallest_cover(size: Size, need: Size) -> ScalingFactor {
    [
        ScalingFactor::ONE_EIGHTH,
        ScalingFactor::ONE_QUARTER,
        ScalingFactor::ONE_HALF,
    ]
    .into_iter()
    .find(|factor| {
        factor.scale(size.width as usize) >= need.width as usize
            && factor.scale(size.height as usize) >= need.height as usize
    })
    .unwrap_or(ScalingFactor::ONE)
}

/// The JPEG that `bytes` begin with, up to its end marker: a camera's buffer carries the tail of
/// an older, longer frame behind it.
fn whole_jpeg(bytes: &[u8]) -> Option<&[u8]> {
    const START: u8 = 0xd8;
    const END: u8 = 0xd9;
    if bytes.first_chunk() != Some(&[0xff, START]) {
        return None;
    }
    let mut at = 2;
    loop {
        // Markers may be preceded by any number of filling 0xff.
        at += memchr(0xff, bytes.get(at..)?)?;
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = *bytes.get(at)?;
        at += 1;
        match marker {
            END => return bytes.get(..at),
            // A stuffed byte or a restart inside a scan, or a marker without a segment.
            0x00 | 0x01 | 0xd0..=0xd7 => {}
            START => return None,
            // Scans, tables, comments: a length, and what it counts. Entropy-coded bytes follow a scan.
            _ => {
                let length = u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
                at += usize::from(length.max(2));
            }
        }
    }
}

fn enough(bytes: &[u8], needed: usize) -> Result<&[u8], DecodeError> {
    bytes.get(..needed).ok_or(DecodeError::Short {
        got: bytes.len(),
        needed,
    })
}

fn yuyv(size: Size, bytes: &[u8], picture: &mut Picture) -> Result<(), DecodeError> {
    // Two pixels share their colour: an odd width is padded to even.
    let stride = size.width.next_multiple_of(2) * 2;
    let bytes = enough(bytes, stride as usize * size.height as usize)?;
    picture.reshape(size);
    let packed = YuvPackedImage {
        yuy: bytes,
        yuy_stride: stride,
        width: size.width,
        height: size.height,
    };
    yuyv422_to_rgba(
        &packed,
        picture.rgba_mut(),
        size.width * 4,
        YuvRange::Limited,
        YuvStandardMatrix::Bt601,
    )
    .map_err(|error| DecodeError::Damaged(error.to_string()))
}

fn nv12(size: Size, bytes: &[u8], picture: &mut Picture) -> Result<(), DecodeError> {
    let uv_stride = size.width.next_multiple_of(2);
    let uv_len = uv_stride as usize * size.height.div_ceil(2) as usize;
    let bytes = enough(bytes, size.area() + uv_len)?;
    let (y_plane, uv_plane) = bytes.split_at(size.area());
    picture.reshape(size);
    let planes = YuvBiPlanarImage {
        y_plane,
        y_stride: size.width,
        uv_plane,
        uv_stride,
        width: size.width,
        height: size.height,
    };
    yuv_nv12_to_rgba(
        &planes,
        picture.rgba_mut(),
        size.width * 4,
        YuvRange::Limited,
        YuvStandardMatrix::Bt601,
        YuvConversionMode::Balanced,
    )
    .map_err(|error| DecodeError::Damaged(error.to_string()))
}

fn three_bytes(
    size: Size,
    bytes: &[u8],
    picture: &mut Picture,
    order: [usize; 3],
) -> Result<(), DecodeError> {
    let bytes = enough(bytes, size.area() * 3)?;
    picture.reshape(size);
    let [r, g, b] = order;
    for (out, from) in picture
        .rgba_mut()
        .chunks_exact_mut(4)
        .zip(bytes.chunks_exact(3))
    {
        out.copy_from_slice(&[from[r], from[g], from[b], 255]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capture::{Pattern, sequence_in};

    fn jpeg_of(picture: &Picture) -> Vec<u8> {
        let image = Image {
            pixels: picture.rgba(),
            width: picture.width() as usize,
            pitch: picture.width() as usize * 4,
            height: picture.height() as usize,
            format: PixelFormat::RGBA,
        };
        let mut compressor = turbojpeg::Compressor::new().unwrap();
        compressor.set_quality(90).unwrap();
        compressor.set_subsamp(turbojpeg::Subsamp::Sub2x1).unwrap();
        compressor.compress_to_vec(image).unwrap()
    }

    fn pattern(size: Size, sequence: u64) -> Picture {
        let mut picture = Picture::default();
        Pattern::new(size).draw(sequence, &mut picture);
        picture
    }

    /// A frame without its Huffman tables, as UVC cameras send it.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let (mut out, mut at) = (jpeg[..2].to_vec(), 2);
        loop {
            let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if jpeg[at + 1] == 0xda {
                out.extend_from_slice(&jpeg[at..]);
                return out;
            }
            if jpeg[at + 1] != 0xc4 {
                out.extend_from_slice(&jpeg[at..at + length]);
            }
            at += length;
        }
    }

    const SIZE: Size = Size::new(1280, 720);

    #[test]
    fn jpegs_are_decoded_and_made_smaller_while_they_cover_the_need() {
        let jpeg = jpeg_of(&pattern(SIZE, 4321));
        let mut decoder = Decoder::new().unwrap();
        let mut picture = Picture::default();
        for (need, got) in [
            (SIZE, SIZE),
            (Size::new(854, 480), SIZE),
            (Size::new(640, 360), Size::new(640, 360)),
            (Size::new(320, 180), Size::new(320, 180)),
            (Size::new(1, 1), Size::new(160, 90)),
            (Size::new(4000, 3000), SIZE),
        ] {
            decoder
                .decode(FourCc::Mjpeg, SIZE, &jpeg, need, &mut picture)
                .unwrap();
            assert_eq!(picture.size(), got, "{need}");
            assert_eq!(sequence_in(&picture), Some(4321));
        }
        let [r, g, b, a] = picture.pixel(picture.width() / 16 * 11, 5).unwrap();
        assert!(r > 170 && g < 25 && b < 25 && a == 255, "{r} {g} {b} {a}");
    }

    #[test]
    fn the_tail_of_an_older_frame_is_cut_off() {
        let jpeg = jpeg_of(&pattern(SIZE, 1));
        let mut buffer = jpeg.clone();
        buffer.extend_from_slice(&jpeg_of(&pattern(SIZE, 2))[500..]);
        assert_eq!(whole_jpeg(&buffer), Some(&jpeg[..]));
        buffer.truncate(jpeg.len());
        buffer.extend_from_slice(&[0; 5000]);
        assert_eq!(whole_jpeg(&buffer), Some(&jpeg[..]));
    }

    #[test]
    fn jpegs_without_huffman_tables_are_decoded() {
        // Default tables only: that is what cameras leave out.
        let jpeg = without_tables(&jpeg_of(&pattern(SIZE, 99)));
        let mut picture = Picture::default();
        Decoder::new()
            .unwrap()
            .decode(FourCc::Mjpeg, SIZE, &jpeg, SIZE, &mut picture)
            .unwrap();
        assert_eq!(sequence_in(&picture), Some(99));
    }

    #[test]
    fn a_damaged_jpeg_is_an_error_and_the_next_one_is_fine() {
        let jpeg = jpeg_of(&pattern(SIZE, 7));
        let mut decoder = Decoder::new().unwrap();
        let mut picture = Picture::default();
        let mut decode =
            |bytes: &[u8]| decoder.decode(FourCc::Mjpeg, SIZE, bytes, SIZE, &mut picture);
        assert_eq!(decode(&jpeg[..jpeg.len() / 3]), Err(DecodeError::NoJpeg));
        assert_eq!(decode(&[]), Err(DecodeError::NoJpeg));
        let mut cut = jpeg[..jpeg.len() / 3].to_vec();
        cut.extend_from_slice(&[0xff, 0xd9]);
        assert!(matches!(decode(&cut), Err(DecodeError::Damaged(_))));
        assert_eq!(decode(&jpeg), Ok(()));
    }

    #[test]
    fn webcam_padding_is_no_damage() {
        let mut jpeg = jpeg_of(&pattern(Size::new(64, 64), 7));
        let end = jpeg.len() - 2;
        jpeg.splice(end..end, [0, 0, 0]);
        let mut picture = Picture::default();
        let size = Size::new(64, 64);
        Decoder::new()
            .unwrap()
            .decode(FourCc::Mjpeg, size, &jpeg, size, &mut picture)
            .unwrap();
    }

    #[test]
    fn raw_formats_have_the_right_colours() {
        // Red in BT.601, limited range.
        let (y, u, v) = (81, 90, 240);
        let size = Size::new(5, 3);
        let mut decoder = Decoder::new().unwrap();
        let mut check = |format, bytes: &[u8]| {
            let mut picture = Picture::default();
            decoder
                .decode(format, size, bytes, size, &mut picture)
                .unwrap();
            assert_eq!(picture.size(), size);
            for pixel in picture.rgba().chunks_exact(4) {
                let [r, g, b, a] = pixel else { panic!() };
                assert!(
                    *r > 250 && *g < 5 && *b < 5 && *a == 255,
                    "{format} {pixel:?}"
                );
            }
        };
        check(FourCc::Yuyv, &[y, u, y, v].repeat(3 * 3));
        let mut nv12 = vec![y; 15];
        nv12.extend([u, v].repeat(3 * 2));
        check(FourCc::Nv12, &nv12);
        check(FourCc::Rgb, &[255, 0, 0].repeat(15));
        check(FourCc::Bgr, &[0, 0, 255].repeat(15));
    }

    #[test]
    fn short_buffers_are_refused() {
        let mut decoder = Decoder::new().unwrap();
        let mut picture = Picture::default();
        for format in [FourCc::Yuyv, FourCc::Nv12, FourCc::Rgb] {
            let result = decoder.decode(format, SIZE, &[0; 1000], SIZE, &mut picture);
            assert!(matches!(result, Err(DecodeError::Short { got: 1000, .. })));
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(
            bytes in proptest::collection::vec(any::<u8>(), 0..2000),
            width in 1_u32..40,
            height in 1_u32..40,
        ) {
            let mut decoder = Decoder::new().unwrap();
            let mut picture = Picture::default();
            let size = Size::new(width, height);
            for format in FourCc::ALL {
                let _ = decoder.decode(format, size, &bytes, size, &mut picture);
            }
            let mut jpeg = vec![0xff, 0xd8];
            jpeg.extend(&bytes);
            let _ = decoder.decode(FourCc::Mjpeg, size, &jpeg, size, &mut picture);
        }

        #[test]
        fn flipped_bits_never_panic(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
            let size = Size::new(64, 48);
            let mut jpeg = jpeg_of(&pattern(size, 3));
            for (index, mask) in flips {
                let at = index.index(jpeg.len());
                jpeg[at] ^= mask;
            }
            let mut picture = Picture::default();
            let _ = Decoder::new().unwrap().decode(FourCc::Mjpeg, size, &jpeg, size, &mut picture);
        }
    }
}
