//! MuseTalk for Python: the module `musetalk._native`, which the package `musetalk` gives its names to.
//!
//! | module | holds |
//! |---|---|
//! | `engine`, `avatar`, `ends` | a pack on a device; a talking face, whole or in halves; what the halves share |
//! | `frame`, `buffer`, `pcm` | what is read, how it reaches NumPy without a copy, and what is pushed |
//! | `realtime`, `event`, `tools`, `scripted` | the conversation, what happens in it, functions, a server to try it with |
//! | `create`, `command` | packs and avatars made; the command line |
//! | `waiting`, `wake`, `asynchronous`, `forked` | Ctrl-C, event loops, coroutines, processes |
//! | `error` | every kind of error is a class |

mod asynchronous;
mod avatar;
mod buffer;
mod command;
mod create;
mod ends;
mod engine;
mod error;
mod event;
mod forked;
mod frame;
mod pcm;
mod realtime;
mod scripted;
mod tools;
mod waiting;
mod wake;

use pyo3::prelude::*;

/// The module. Not for free-threaded Python: the stable ABI that it is built for does not know it.
#[pymodule(name = "_native")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::add_to(module)?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<engine::Pack>()?;
    module.add_class::<avatar::Avatar>()?;
    module.add_class::<avatar::PcmWriter>()?;
    module.add_class::<avatar::FrameReader>()?;
    module.add_class::<avatar::Interrupter>()?;
    module.add_class::<avatar::Asset>()?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<frame::Region>()?;
    module.add_class::<frame::Heard>()?;
    module.add_class::<frame::Stats>()?;
    module.add_class::<frame::StageTime>()?;
    module.add_class::<create::Progress>()?;
    module.add_class::<create::BuiltPack>()?;
    module.add_class::<realtime::Realtime>()?;
    module.add_class::<event::Event>()?;
    module.add_class::<event::Entry>()?;
    module.add_class::<event::Usage>()?;
    module.add_class::<scripted::ScriptedServer>()?;
    module.add_function(wrap_pyfunction!(create::build_pack, module)?)?;
    module.add_function(wrap_pyfunction!(create::create_avatar, module)?)?;
    module.add_function(wrap_pyfunction!(create::create_avatar_from_footage, module)?)?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    Ok(())
}
