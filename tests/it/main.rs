//! All integration tests, in one binary: one link, one start.

mod cli;
mod convert;
mod support;
mod tidy;
