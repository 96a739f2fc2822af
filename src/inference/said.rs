//! What ONNX Runtime says, for people: the cause, without the way it took through the library.

/// Comes before a number, the number's name and the cause, once for each layer that passed it on.
const MARK: &str = "[ONNXRuntimeError] : ";

/// The cause in the first line of `text`, without the full stop that our own sentences add. Places
/// in the source, functions' names and conditions come before it.
pub(super) fn cause(text: &str) -> String {
    let mut rest = text.lines().next().unwrap_or_default().trim();
    if let Some((_, marked)) = rest.rsplit_once(MARK) {
        rest = after(marked, " : ")
            .and_then(|code| after(code, " : "))
            .unwrap_or(marked);
    }
    while let Some(inner) = inside(rest) {
        rest = inner;
    }
    // CUDA's says where, on which card and of which machine.
    rest = rest.split(" ; GPU=").next().unwrap_or(rest);
    let cause = rest.trim_end_matches(['.', ' ']);
    if cause.is_empty() {
        "no reason given".to_owned()
    } else {
        cause.to_owned()
    }
}

/// `text` without what is said before a cause, if anything is.
fn inside(text: &str) -> Option<&str> {
    let inner = ["Exception during initialization: ", "Status Message: "]
        .iter()
        .find_map(|before| after(text, before))
        .or_else(|| after_place(text))
        .or_else(|| after(text, " was false. "))?
        .trim();
    (!inner.is_empty()).then_some(inner)
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, after)| after)
}

/// What follows `FILE:LINE FUNCTION `; the function is named as its compiler does, with all types
/// and spaces in them or without any.
fn after_place(text: &str) -> Option<&str> {
    let (place, rest) = text.split_once(' ')?;
    let (file, line) = place.rsplit_once(':')?;
    let is_place = [".cc", ".cpp", ".cu", ".h"]
        .iter()
        .any(|end| file.ends_with(end))
        && !line.is_empty()
        && line.bytes().all(|c| c.is_ascii_digit());
    is_place.then(|| after_function(rest))
}

fn after_function(text: &str) -> &str {
    let end = text.find('(').filter(|&open| {
        let name = text[..open].rsplit(' ').next().unwrap_or_default();
        name.contains("::") && !text[..open].contains(". ")
    });
    let Some(open) = end else {
        return after(text, " ").unwrap_or_default();
    };
    let mut depth = 0_i32;
    let close = text[open..].find(|letter| {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    let Some(close) = close else { return text };
    let rest = text[open + close + 1..].trim_start();
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    // Types of a template.
    match rest.strip_prefix("[with ") {
        Some(types) => after(types, "] ").unwrap_or_default(),
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_found_behind_places_functions_and_conditions() {
        for (said, expected) in [
            (
                "/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1539 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file or directory",
                "Failed to load library libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file or directory",
            ),
            (
                "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:129 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true; SUCCTYPE = cudaError] CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=0 ; hostname=booth ; file=/onnxruntime_src/cuda_execution_provider.cc ; line=301 ; expr=cudaSetDevice(0);",
                "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
            ),
            (
                "Exception during initialization: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:342 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) const Failed to allocate memory (of the card) for 65536 bytes.",
                "Failed to allocate memory (of the card) for 65536 bytes",
            ),
            (
                "Non-zero status code returned while running Add node. Name:'' Status Message: D:\\a\\core\\element_wise_ops.h:540 onnxruntime::BroadcastIterator::Init axis == 1 || axis == largest was false. It cannot be done (8 by 25)",
                "It cannot be done (8 by 25)",
            ),
            (
                "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got: 3 Expected: 4.",
                "Got: 3 Expected: 4",
            ),
            (
                "the device (0) was removed.\nat x.cc:3",
                "the device (0) was removed",
            ),
            ("", "no reason given"),
        ] {
            assert_eq!(cause(said), expected, "{said}");
        }
    }
}
