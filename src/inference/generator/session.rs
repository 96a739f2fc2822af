//! The session of ONNX Runtime that a generator runs.

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::inference::error::InferenceError;
use crate::inference::fit::Fit;
use crate::inference::model::Model;
use crate::inference::provider::equip;
use crate::inference::runtime::Runtime;
use crate::inference::style_map::cells;
use crate::settings::Provider;

/// Loads `onnx` for pictures that fit. Outer errors are of the files, inner ones ONNX Runtime's.
pub(super) fn load(
    runtime: &Runtime,
    model: &Model,
    onnx: &[u8],
    fit: &Fit,
    threads: usize,
    provider: Provider,
) -> Result<ort::Result<Session>, InferenceError> {
    let external = model.external()?;
    let session = || -> ort::Result<Session> {
        let mut builder = Session::builder(runtime.environment())?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_parallel_execution(false)?
            .with_inter_threads(1)?
            .with_intra_threads(threads)?
            // A plan of a run's memory saves no time here, and takes as much once more as the first run
            // took, which is made without one.
            .with_memory_pattern(false)?
            // Waiting threads sleep: spinning ones take the cores from the compositor.
            .with_intra_op_spinning(false)?;
        let image = (&model.image().sides, fit.network);
        let style = model.style().and_then(|style| style.sides.as_ref());
        let style = (&style.cloned(), cells(model, fit.drawing));
        for (names, size) in [image, style] {
            if let Some([width, height]) = names {
                builder = builder
                    .with_dimension_override(width, size.width.into())?
                    .with_dimension_override(height, size.height.into())?;
            }
        }
        builder = equip(builder, runtime, provider)?;
        for (name, bytes) in external {
            builder = builder.with_external_initializer_file_in_memory(name, bytes.into())?;
        }
        builder.commit_from_memory(onnx)
    };
    Ok(session())
}
