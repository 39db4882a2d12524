//! `musetalk pack verify`: the files are as they were packed, and this machine computes what was recorded.

use std::ops::ControlFlow;

use musetalk_core::{Engine, Measure, ModelPack, NetworkTest, Result, SelfTest};
use serde_json::{Value, json};

use super::size;
use crate::args;
use crate::cancel;
use crate::memory::Peak;
use crate::progress::Progress;
use crate::report;
use crate::setup;

pub(super) fn command(args: &args::Verify) -> Result<()> {
    let pack = ModelPack::open(&args.path)?;
    let progress = Progress::suitable(args.json);
    compare_checksums(&pack, progress)?;
    if !args.json {
        let files = &pack.manifest().files;
        let bytes: u64 = files.values().map(|file| file.bytes).sum();
        report::line(&format!("{} files, {}: every one is as it was packed", files.len(), size(bytes)));
    }
    if args.no_run {
        if args.json {
            report::line(&for_programs(&pack, None).to_string());
        }
        return Ok(());
    }
    setup::ensure_runtime(progress)?;
    let tested = Tested::run(args, progress)?;
    if args.json {
        report::line(&for_programs(&pack, Some(&tested)).to_string());
    } else {
        for line in in_words(&tested) {
            report::line(&line);
        }
    }
    tested.found.check()
}

fn compare_checksums(pack: &ModelPack, progress: Progress) -> Result<()> {
    let bar = progress.bytes();
    bar.set_message("checksums");
    let outcome = pack.verify(|done, total| {
        bar.set_length(total);
        bar.set_position(done);
        stop_or_go()
    });
    bar.finish_and_clear();
    outcome
}

/// What was found, and the memory that each network took at most while it was loaded and ran, in bytes.
struct Tested {
    found: SelfTest,
    memory: Vec<Option<u64>>,
}

impl Tested {
    fn run(args: &args::Verify, progress: Progress) -> Result<Self> {
        let bar = progress.steps();
        let mut memory = Vec::new();
        let mut peak: Option<Peak> = None;
        let found = Engine::builder(&args.path).device(args.device).self_test(|network, done, total| {
            bar.set_message(format!("running {network}"));
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            // Another device begins again when the first one does not start.
            memory.truncate(done);
            if let Some(before) = peak.replace(Peak::watch()).filter(|_| memory.len() < done) {
                memory.push(before.added());
            }
            stop_or_go()
        });
        memory.extend(peak.map(|last| last.added()));
        bar.finish_and_clear();
        Ok(Self { found: found?, memory })
    }

    fn rows(&self) -> impl Iterator<Item = (&NetworkTest, Option<u64>)> {
        let memory = self.memory.iter().copied().chain(std::iter::repeat(None));
        self.found.networks.iter().zip(memory)
    }
}

fn stop_or_go() -> ControlFlow<()> {
    if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Of a pack of which nothing is known.
const NO_RECORD: &str = "the pack has no record for a self-test, so nothing was run";

fn in_words(tested: &Tested) -> Vec<String> {
    let found = &tested.found;
    if found.networks.is_empty() {
        return vec![format!("{NO_RECORD}; build the pack again for one")];
    }
    let mut lines = vec![
        format!("ran on {} with ONNX Runtime {}", found.device, found.runtime),
        format!(
            "{:<15} {:<22} {:>9} {:>9} {:>8} {:>9} {:>9}  verdict",
            "network", "measure", "found", "passes", "load s", "run ms", "memory"
        ),
    ];
    for (test, memory) in tested.rows() {
        let verdict = match (test.passed(), test.finite) {
            (true, _) => "sound",
            (false, true) => "NONSENSE",
            (false, false) => "NOT FINITE",
        };
        lines.push(format!(
            "{:<15} {:<22} {:>9} {:>9} {:>8.2} {:>9.1} {:>9}  {verdict}",
            test.network,
            test.measure.to_string(),
            test.measure.say(test.error),
            test.limit,
            test.load.as_secs_f64(),
            test.run.as_secs_f64() * 1e3,
            memory.map_or_else(|| "unknown".to_owned(), size),
        ));
    }
    if !found.untested.is_empty() {
        lines.push(format!("NOT TESTED, for want of a record: {}", found.untested.join(", ")));
    }
    lines
}

fn for_programs(pack: &ModelPack, tested: Option<&Tested>) -> Value {
    let files = &pack.manifest().files;
    let mut value = json!({
        "files": files.len(),
        "bytes": files.values().map(|file| file.bytes).sum::<u64>(),
        "self_test": null,
    });
    let Some(tested) = tested else { return value };
    let measure = |measure: Measure| match measure {
        Measure::Bytes => "bytes",
        Measure::Classes => "classes",
        _ => "relative",
    };
    let networks: Vec<Value> = tested
        .rows()
        .map(|(test, memory)| {
            json!({
                "network": test.network,
                "file": test.file,
                "measure": measure(test.measure),
                // JSON has no word for what is not finite: it becomes null.
                "error": test.error,
                "limit": test.limit,
                "finite": test.finite,
                "passed": test.passed(),
                "load_ms": test.load.as_secs_f64() * 1e3,
                "run_ms": test.run.as_secs_f64() * 1e3,
                "memory_bytes": memory,
            })
        })
        .collect();
    // Neither true nor false where nothing was run.
    let ran = !tested.found.networks.is_empty();
    value["self_test"] = json!({
        "device": tested.found.device.to_string(),
        "onnxruntime": tested.found.runtime,
        "passed": ran.then(|| tested.found.passed()),
        "reason": (!ran).then_some(NO_RECORD),
        "networks": networks,
        "untested": tested.found.untested,
    });
    value
}
