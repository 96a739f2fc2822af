//! Where providers come from: wheels of the Python package index, by version and sha256.

use crate::settings::Provider;

/// How a provider gets into the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is in every library of ONNX Runtime on this system.
    BuiltIn,
    /// A library beside ONNX Runtime's, which registers what its provider is called here.
    PlugIn(&'static str),
    /// ONNX Runtime's own library is replaced by another build.
    Replacement,
}

/// What a provider needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supply {
    pub(super) provider: Provider,
    pub(super) way: Way,
    /// For whom.
    pub(super) about: &'static str,
    /// What else has to be there.
    pub(super) needs: &'static str,
    /// Folder in `runtime/`; two providers may share one.
    pub(super) folder: &'static str,
    pub(super) wheels: &'static [Wheel],
}

/// One wheel for one kind of machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wheel {
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    pub(super) machine: Machine,
    pub(super) sha256: &'static str,
    /// The most its libraries take when unpacked, in MB.
    pub(super) unpacked: u64,
}

/// A kind of machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machine {
    LinuxX64,
    LinuxArm64,
    WindowsX64,
    WindowsArm64,
    MacArm64,
}

impl Machine {
    /// This one; `None` when nobody builds providers for it.
    pub(super) fn here() -> Option<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Some(Self::LinuxX64),
            ("linux", "aarch64") => Some(Self::LinuxArm64),
            ("windows", "x86_64") => Some(Self::WindowsX64),
            ("windows", "aarch64") => Some(Self::WindowsArm64),
            ("macos", "aarch64") => Some(Self::MacArm64),
            _ => None,
        }
    }

    /// As wheels name it.
    pub(super) fn tags(self) -> &'static [&'static str] {
        match self {
            Self::LinuxX64 => &[
                "manylinux_2_28_x86_64",
                "manylinux_2_27_x86_64",
                "manylinux_2_17_x86_64",
                "manylinux_2_12_x86_64",
                "manylinux_2_5_x86_64",
            ],
            Self::LinuxArm64 => &["manylinux_2_28_aarch64", "manylinux_2_27_aarch64"],
            Self::WindowsX64 => &["win_amd64"],
            Self::WindowsArm64 => &["win_arm64"],
            Self::MacArm64 => &["macosx_14_0_universal2", "macosx_14_0_arm64"],
        }
    }
}

const fn wheel(
    package: &'static str,
    version: &'static str,
    machine: Machine,
    sha256: &'static str,
    unpacked: u64,
) -> Wheel {
    Wheel {
        package,
        version,
        machine,
        sha256,
        unpacked,
    }
}

/// All, in the order they are listed.
pub(super) const SUPPLIES: &[Supply] = &[
    Supply {
        provider: Provider::Cpu,
        way: Way::BuiltIn,
        about: "every machine",
        needs: "",
        folder: "",
        wheels: &[],
    },
    Supply {
        provider: Provider::Webgpu,
        way: Way::PlugIn("WebGpuExecutionProvider"),
        about: "any GPU with a Vulkan, Direct3D 12 or Metal driver",
        needs: "a GPU's driver",
        folder: "webgpu",
        wheels: WEBGPU,
    },
    Supply {
        provider: Provider::Cuda,
        way: Way::Replacement,
        about: "NVIDIA cards",
        needs: "NVIDIA's driver for CUDA 13",
        folder: "cuda",
        wheels: CUDA,
    },
    Supply {
        provider: Provider::Tensorrt,
        way: Way::Replacement,
        about: "NVIDIA cards; compiles the network first, for minutes",
        needs: "NVIDIA's driver for CUDA 13, and TensorRT 10 installed from NVIDIA",
        folder: "cuda",
        wheels: CUDA,
    },
    Supply {
        provider: Provider::TensorrtRtx,
        way: Way::PlugIn("NvTensorRTRTXExecutionProvider"),
        about: "NVIDIA RTX cards",
        needs: "NVIDIA's driver for CUDA 13",
        folder: "tensorrt-rtx",
        wheels: TENSORRT_RTX,
    },
    Supply {
        provider: Provider::Openvino,
        way: Way::PlugIn("OpenVINOExecutionProvider"),
        about: "Intel processors, graphics and NPUs",
        needs: "",
        folder: "openvino",
        wheels: OPENVINO,
    },
    Supply {
        provider: Provider::Directml,
        way: Way::Replacement,
        about: "any GPU on Windows",
        needs: "Windows 10 or newer",
        folder: "directml",
        wheels: DIRECTML,
    },
    Supply {
        provider: Provider::Coreml,
        way: Way::BuiltIn,
        about: "Apple's chips; part of ONNX Runtime on macOS",
        needs: "",
        folder: "",
        wheels: &[],
    },
];

use Machine::{LinuxArm64, LinuxX64, MacArm64, WindowsArm64, WindowsX64};

const WEBGPU: &[Wheel] = &[
    wheel(
        "onnxruntime-ep-webgpu",
        "0.4.0",
        LinuxX64,
        "5d8c961eda91a88961cad1fb7621f389f006b18497d6ea9ecf96f729f066cbfb",
        64,
    ),
    wheel(
        "onnxruntime-ep-webgpu",
        "0.4.0",
        LinuxArm64,
        "17f660db53b1a509c63e721ac6784a2daa1c4e91a968523ee9986505ee5b0a55",
        64,
    ),
    wheel(
        "onnxruntime-ep-webgpu",
        "0.4.0",
        WindowsX64,
        "7db646669d1a2390551da675115ea125e68cb3d4d2c3a2d6e463372bf8d6ea87",
        128,
    ),
    wheel(
        "onnxruntime-ep-webgpu",
        "0.4.0",
        WindowsArm64,
        "a9586f6744370776059edd794c11bca2f563258a5bd2707864aefff31d3af39f",
        128,
    ),
    wheel(
        "onnxruntime-ep-webgpu",
        "0.4.0",
        MacArm64,
        "8d0a91d44b43d931c3068b9134aed9770f27803e353c2b58c93e1700bb68bcca",
        128,
    ),
];

/// The same version as the CPU's library: the last line without an uploader.
const CUDA: &[Wheel] = &[
    wheel(
        "onnxruntime-gpu",
        "1.28.0",
        LinuxX64,
        "774d4c307317f7a0fefc33930820b7ac2a62be2c595e6a1e63e318555f7176b8",
        512,
    ),
    wheel(
        "nvidia-cuda-runtime",
        "13.5.37",
        LinuxX64,
        "df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
        64,
    ),
    wheel(
        "nvidia-nvjitlink",
        "13.5.37",
        LinuxX64,
        "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
        256,
    ),
    wheel(
        "nvidia-cuda-nvrtc",
        "13.5.37",
        LinuxX64,
        "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
        512,
    ),
    wheel(
        "nvidia-cublas",
        "13.10.0.20",
        LinuxX64,
        "dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84",
        2048,
    ),
    wheel(
        "nvidia-curand",
        "10.4.5.25",
        LinuxX64,
        "22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529",
        512,
    ),
    wheel(
        "nvidia-cufft",
        "12.5.0.14",
        LinuxX64,
        "b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad",
        1024,
    ),
    wheel(
        "nvidia-cudnn-cu13",
        "9.28.1.4",
        LinuxX64,
        "a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec",
        2048,
    ),
    wheel(
        "onnxruntime-gpu",
        "1.28.0",
        WindowsX64,
        "d5004c1d38da77970d4534e2e20e34ade9c4fb167bfc685a9843d2863a58122a",
        512,
    ),
    wheel(
        "nvidia-cuda-runtime",
        "13.5.37",
        WindowsX64,
        "f225d3fa5ea6bfbb58fc4979ef72375cbe661d9107f0d8a4ff22cc151525e4a9",
        64,
    ),
    wheel(
        "nvidia-nvjitlink",
        "13.5.37",
        WindowsX64,
        "4465d4e8f2212118220b580c82523c5654f93a62906bd51d29d79bdfc12376c1",
        256,
    ),
    wheel(
        "nvidia-cuda-nvrtc",
        "13.5.37",
        WindowsX64,
        "e8e6c10b251385707ae3abd7b4ee118de6736fd7678d0f0f4eab4d759f679c21",
        512,
    ),
    wheel(
        "nvidia-cublas",
        "13.10.0.20",
        WindowsX64,
        "c310b749eea855b88fafb906de08d6819b87216c6711640771764fea5dcd8546",
        2048,
    ),
    wheel(
        "nvidia-curand",
        "10.4.5.25",
        WindowsX64,
        "f6a02a70f5b9715235df31a164a4bf3237a45be1600a5f435f5e4a0d8682eb22",
        512,
    ),
    wheel(
        "nvidia-cufft",
        "12.5.0.14",
        WindowsX64,
        "78e7585159ecf37d73af1ce43a5dea7fd3360e1af71cde08f070c07966a336bc",
        1024,
    ),
    wheel(
        "nvidia-cudnn-cu13",
        "9.28.1.4",
        WindowsX64,
        "73d874c6bd8a1c75ca040228f77c4e163efe9bab3b65bd85914e2b7334ac68ee",
        2048,
    ),
];

const TENSORRT_RTX: &[Wheel] = &[
    wheel(
        "onnxruntime-ep-nv-tensorrt-rtx-cu13",
        "0.5.0",
        LinuxX64,
        "32f575c633d171b4edf4b53d3bb22b72a6c9c0a850d2982ce9a788a5d40d3298",
        2048,
    ),
    wheel(
        "onnxruntime-ep-nv-tensorrt-rtx-cu13",
        "0.5.0",
        WindowsX64,
        "609b19f7236c8522ef005a9f763003a78f492e5d871afad39fe1b247760eb3c7",
        2048,
    ),
];

const OPENVINO: &[Wheel] = &[
    wheel(
        "onnxruntime-ep-openvino",
        "1.8.1",
        LinuxX64,
        "3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924",
        512,
    ),
    wheel(
        "onnxruntime-ep-openvino",
        "1.8.1",
        WindowsX64,
        "1acd878be173b02bb8b953460f2f59b121e5f6e47ebc6aad490c0590cf6718fb",
        512,
    ),
];

/// The newest there is.
const DIRECTML: &[Wheel] = &[wheel(
    "onnxruntime-directml",
    "1.24.4",
    WindowsX64,
    "96642a787e5a6f33bf043521c0f06eb1eb663f6b830e5862a2026d03f9c90543",
    256,
)];

/// Where a library comes from that providers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A package that is fetched with a provider, by how its name begins.
    Package(&'static str),
    /// Something that is installed, for people.
    Installed(&'static str),
}

use Source::{Installed, Package};

/// Libraries that may be missing, by how their names begin after `lib`; the first that fits counts.
const LIBRARIES: &[(&str, Source)] = &[
    ("onnxruntime", Package("onnxruntime")),
    ("cudart", Package("nvidia-cuda-runtime")),
    ("nvjitlink", Package("nvidia-nvjitlink")),
    ("nvrtc", Package("nvidia-cuda-nvrtc")),
    ("cublas", Package("nvidia-cublas")),
    ("curand", Package("nvidia-curand")),
    ("cufft", Package("nvidia-cufft")),
    ("cudnn", Package("nvidia-cudnn-cu13")),
    ("cuda.so", Installed("NVIDIA's driver")),
    ("nvidia-", Installed("NVIDIA's driver")),
    ("nvinfer", Installed("TensorRT 10 from NVIDIA")),
    ("nvonnxparser", Installed("TensorRT 10 from NVIDIA")),
    ("openvino", Package("onnxruntime-ep-openvino")),
    (
        "tensorrt_rtx",
        Package("onnxruntime-ep-nv-tensorrt-rtx-cu13"),
    ),
    ("vulkan", Installed("Vulkan's loader, on Debian libvulkan1")),
    ("ze_loader", Installed("Intel's Level Zero loader")),
    (
        "OpenCL",
        Installed("an OpenCL loader, on Debian ocl-icd-libopencl1"),
    ),
];

/// Where `library`, a file's name, comes from; `None` when that is not known.
pub(super) fn source_of(library: &str) -> Option<Source> {
    let name = library.strip_prefix("lib").unwrap_or(library);
    let begins = |begin: &str| {
        name.get(..begin.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(begin))
    };
    let found = LIBRARIES.iter().find(|(begin, _)| begins(begin))?;
    Some(found.1)
}

impl Supply {
    /// What to do when `library` is missing. Adding the provider again helps only where one of its
    /// packages has it.
    pub(super) fn advice(&self, library: &str) -> String {
        match source_of(library) {
            Some(Source::Package(package))
                if self
                    .wheels
                    .iter()
                    .any(|wheel| wheel.package.starts_with(package)) =>
            {
                format!("Run: panelcam runtime add {}", self.provider.id())
            }
            Some(Source::Package(name) | Source::Installed(name)) => {
                format!("It comes with {name}: install that.")
            }
            None if self.needs.is_empty() => {
                "It does not come with panelcam: look for it among your system's packages."
                    .to_owned()
            }
            None => format!("It needs {}.", self.needs),
        }
    }

    /// Of a provider; `Auto` has none.
    pub(super) fn of(provider: Provider) -> Option<&'static Self> {
        SUPPLIES.iter().find(|supply| supply.provider == provider)
    }

    /// Its wheels for this machine.
    pub(super) fn wheels_here(&self) -> Vec<&'static Wheel> {
        let here = Machine::here();
        self.wheels
            .iter()
            .filter(|wheel| Some(wheel.machine) == here)
            .collect()
    }

    /// Whether this machine can have it at all.
    pub(super) fn is_for_here(&self) -> bool {
        match self.provider {
            Provider::Cpu => true,
            Provider::Coreml => cfg!(target_os = "macos"),
            _ => !self.wheels_here().is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_added_again_only_for_what_its_packages_have() {
        let advice = |provider, library| Supply::of(provider).unwrap().advice(library);
        for (provider, library, expected) in [
            (
                Provider::Openvino,
                "libnvinfer.so.10",
                "It comes with TensorRT 10 from NVIDIA: install that.",
            ),
            (
                Provider::Tensorrt,
                "libnvinfer.so.10",
                "It comes with TensorRT 10 from NVIDIA: install that.",
            ),
            (
                Provider::Tensorrt,
                "libcudnn.so.9",
                "Run: panelcam runtime add tensorrt",
            ),
            (
                Provider::Cuda,
                "libnvJitLink.so.13",
                "Run: panelcam runtime add cuda",
            ),
            (
                Provider::Cuda,
                "libcuda.so.1",
                "It comes with NVIDIA's driver: install that.",
            ),
            (
                Provider::Webgpu,
                "libonnxruntime_providers_webgpu.so",
                "Run: panelcam runtime add webgpu",
            ),
            (
                Provider::Openvino,
                "libstrange.so.1",
                "It does not come with panelcam: look for it among your system's packages.",
            ),
            (
                Provider::Webgpu,
                "libstrange.so.1",
                "It needs a GPU's driver.",
            ),
        ] {
            assert_eq!(advice(provider, library), expected, "{library}");
        }
    }

    #[test]
    fn every_package_that_has_a_library_is_fetched_with_some_provider() {
        for (_, source) in LIBRARIES {
            let Package(package) = source else { continue };
            let mut wheels = SUPPLIES.iter().flat_map(|supply| supply.wheels);
            assert!(
                wheels.any(|wheel| wheel.package.starts_with(package)),
                "{package}"
            );
        }
    }

    #[test]
    fn every_wheel_has_a_sound_hash_and_no_other_has_it() {
        let mut hashes: Vec<&str> = [WEBGPU, CUDA, TENSORRT_RTX, OPENVINO, DIRECTML]
            .concat()
            .iter()
            .map(|wheel| wheel.sha256)
            .collect();
        assert!(hashes.iter().all(|hash| {
            hash.len() == 64
                && hash
                    .bytes()
                    .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
        }));
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
