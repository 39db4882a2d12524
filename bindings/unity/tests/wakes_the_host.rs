//! A host in C# is woken when something may be read; its handler may ask nothing, throw, and be collected, and its domain may go.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use musetalk_unity::mono;
use support::{given, run, tests};

#[test]
fn a_wake_up_reaches_the_host_and_cannot_hurt_the_library() {
    let [pack, avatar, voice] = given();
    if mono() {
        run(tests(), &["wake", pack, avatar, voice]);
    }
}
