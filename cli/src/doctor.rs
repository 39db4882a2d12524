//! What runs on this machine and what does not, in words.

use std::path::Path;

use musetalk_core::{Device, Error, ErrorKind, Manifest, ModelPack, Precision, Result, runtime};
use serde_json::json;

use crate::args;
use crate::demo_files::DemoFiles;
use crate::report;
use crate::setup::{self, Python};
use crate::video::Ffmpeg;

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    name: &'static str,
    state: State,
    /// What is there, or what is missing.
    what: String,
    /// What to do about it; empty when nothing is to be done.
    advice: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Good,
    /// Missing, and the demo runs all the same.
    Optional,
    /// Missing, and `musetalk demo` fetches it by itself.
    Fetchable,
    Missing,
}

/// Looks at everything and says so.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when `musetalk demo` cannot run here.
pub fn command(args: &args::Doctor) -> Result<()> {
    let mut findings = examine();
    findings.extend(args.pack.iter().flat_map(|folder| pack(folder)));
    let missing: Vec<&str> = findings.iter().filter(|f| f.state == State::Missing).map(|f| f.name).collect();
    if args.json {
        let checks: Vec<_> = findings
            .iter()
            .map(|f| {
                let state = match f.state {
                    State::Good => "good",
                    State::Optional => "optional",
                    State::Fetchable => "fetchable",
                    State::Missing => "missing",
                };
                json!({ "name": f.name, "state": state, "what": f.what, "advice": f.advice })
            })
            .collect();
        report::line(&json!({ "demo_runs": missing.is_empty(), "checks": checks }).to_string());
    } else {
        for finding in &findings {
            let mark = match finding.state {
                State::Good => "ok  ",
                State::Optional | State::Fetchable => "note",
                State::Missing => "MISS",
            };
            report::line(&format!("{mark}  {}: {}", finding.name, finding.what.replace('\n', "\n        ")));
            if !finding.advice.is_empty() {
                report::line(&format!("      -> {}", finding.advice));
            }
        }
        if missing.is_empty() {
            report::line("\nThe demo can run here: musetalk demo");
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let sentence = format!("the demo cannot run here yet; see to: {}", missing.join(", "));
    Err(Error::new(ErrorKind::NotFound, sentence))
}

fn examine() -> Vec<Finding> {
    let python = Python::find();
    let cache = setup::cache_is_writable();
    let can_fetch = python.is_ok() && cache.is_ok();
    vec![
        processor(),
        runtime_library(can_fetch),
        python_finding(&python),
        cache_finding(cache),
        ffmpeg(),
        demo_files(),
    ]
}

fn processor() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let advice = if cores < 2 {
        "pictures may come slower than they are shown; two cores or more are better"
    } else {
        ""
    };
    let what = format!("{}, {cores} cores, {}", processor_name(), std::env::consts::OS);
    Finding { name: "processor", state: State::Good, what, advice: advice.to_owned() }
}

pub(crate) fn processor_name() -> String {
    let listed = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    listed
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim().to_owned())
        })
        .or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn runtime_library(can_fetch: bool) -> Finding {
    let search = runtime::search(None);
    let can_fetch = can_fetch && std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty());
    let name = "ONNX Runtime";
    match &search.found {
        Some(path) => match setup::version_of(path) {
            Ok(version) => {
                let what = format!("{version}, {}", path.display());
                Finding { name, state: State::Good, what, advice: String::new() }
            }
            Err(e) => Finding {
                name,
                state: State::Missing,
                what: e.to_string(),
                advice: "run `musetalk setup --force`, or set ORT_DYLIB_PATH to a sound library".to_owned(),
            },
        },
        None => Finding {
            name,
            state: if can_fetch { State::Fetchable } else { State::Missing },
            what: format!("not found; looked at\n{}", setup::places(&search)),
            advice: if can_fetch {
                "run `musetalk setup`; `musetalk demo` does it by itself".to_owned()
            } else {
                "see to Python and the cache below, or correct or set ORT_DYLIB_PATH to the library"
                    .to_owned()
            },
        },
    }
}

fn python_finding(python: &Result<Python>) -> Finding {
    let name = "Python with pip";
    match python {
        Ok(python) => Finding {
            name,
            state: State::Good,
            what: format!("{} with {}; needed only to fetch ONNX Runtime", python.command(), python.pip()),
            advice: String::new(),
        },
        Err(e) => Finding { name, state: State::Optional, what: e.to_string(), advice: String::new() },
    }
}

fn cache_finding(cache: Result<std::path::PathBuf>) -> Finding {
    let name = "cache";
    match cache {
        Ok(folder) => Finding {
            name,
            state: State::Good,
            what: format!("writable, {}", folder.display()),
            advice: String::new(),
        },
        Err(e) => Finding { name, state: State::Optional, what: e.to_string(), advice: String::new() },
    }
}

fn ffmpeg() -> Finding {
    let name = "ffmpeg";
    match Ffmpeg::find() {
        Ok(ffmpeg) => Finding {
            name,
            state: State::Good,
            what: format!("encodes with {}, {}", ffmpeg.encoder(), ffmpeg.program().display()),
            advice: String::new(),
        },
        Err(_) => Finding {
            name,
            state: State::Optional,
            what: "not found, or without an encoder; videos are written as .avi".to_owned(),
            advice: "install ffmpeg for .mp4 files, which are smaller".to_owned(),
        },
    }
}

/// The pack, and the device that would run it.
fn pack(folder: &Path) -> Vec<Finding> {
    let name = "pack";
    let pack = match ModelPack::open(folder) {
        Ok(pack) => pack,
        Err(e) => {
            // The demo has a pack of its own.
            return vec![Finding {
                name,
                state: State::Optional,
                what: e.to_string(),
                advice: String::new(),
            }];
        }
    };
    let devices = runtime::candidates(Device::Auto);
    let manifest = pack.manifest();
    let parameters: u64 = manifest.networks.values().map(|network| network.parameters).sum();
    let precision = if manifest.precision == Precision::Fp16 { "fp16" } else { "fp32" };
    let what = format!("{}, {precision}, {parameters} parameters, {}", manifest.name, folder.display());
    let advice = precision_advice(manifest, &devices);
    vec![Finding { name, state: State::Good, what, advice }, device(&devices, folder)]
}

/// Halves are for devices that compute in them.
fn precision_advice(manifest: &Manifest, devices: &[Device]) -> String {
    if manifest.precision != Precision::Fp16 || devices.first() != Some(&Device::Cpu) {
        return String::new();
    }
    let speaks = ["audio_encoder", "generator", "decoder"];
    let parameters: u64 =
        speaks.iter().filter_map(|role| manifest.networks.get(*role)).map(|network| network.parameters).sum();
    format!(
        "fp32 is the better build for this processor: it computes in fp32 and widens these weights each time it loads them, \
         which takes longer and needs {} of memory that the fp32 build maps from its files; speed is the same. \
         Build it with `musetalk pack build --precision fp32`",
        crate::pack::size(4 * parameters)
    )
}

fn device(devices: &[Device], folder: &Path) -> Finding {
    let name = "device";
    let tried: Vec<String> = devices.iter().map(Device::to_string).collect();
    let what = match tried.as_slice() {
        [only] => format!("{only} would run it; this build knows no other"),
        _ => format!("the first of {} that starts would run it", tried.join(", ")),
    };
    let advice = format!("`musetalk pack verify {}` says whether it computes soundly", folder.display());
    Finding { name, state: State::Good, what, advice }
}

fn demo_files() -> Finding {
    let name = "demo files";
    let missing = |what: String| Finding {
        name,
        state: State::Missing,
        what,
        advice: "set MUSETALK_DEMO to the folder models/demo of the sources".to_owned(),
    };
    match DemoFiles::find() {
        Ok(files) => match files.avatar(None).and_then(|_| files.voice()) {
            Ok(_) => {
                let names: Vec<&str> = files.avatars.iter().map(|(name, _)| name.as_str()).collect();
                let what = format!("avatars {}, {}", names.join(", "), files.folder.display());
                Finding { name, state: State::Good, what, advice: String::new() }
            }
            Err(e) => missing(e.to_string()),
        },
        Err(e) => missing(e.to_string()),
    }
}
