//! A client for OpenAI's Realtime API, made for a face that listens.
//!
//! Nothing is implemented yet: the crate holds its place in the workspace so that the direction of
//! dependencies is fixed from the start. It will know `musetalk-core` through one bridge file and
//! nothing of ONNX Runtime; the core will never know it.
