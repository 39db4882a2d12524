//! Criterion benches of what the library costs around the networks; `README.md` says what each number means to a user.
//!
//! What a machine reaches with real networks is `musetalk bench`.
