//! `cargo xtask check wheel`: what the wheels are to somebody who has nothing but pip. Installs them with `onnxruntime` into a new environment, with no
//! compiler to be found, and runs there what the manual promises.
//!
//! | option | does |
//! |---|---|
//! | `--wheels FOLDER` | where they lie; `target/wheels`, where `cargo xtask wheel` puts them |

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::wheel::{programs, target};
use crate::{Outcome, failed, root};

/// An import may take so long.
const IMPORT: Duration = Duration::from_millis(150);
/// Processes that are started for one figure.
const STARTS: usize = 10;

/// Both in one process, with one library, in either order.
const TOGETHER: &str = r#"
import sys
first, second = sys.argv[1:]
__import__(first), __import__(second)
import musetalk, onnxruntime, numpy as np
from musetalk import demo

session = onnxruntime.InferenceSession(str(demo.pack() / "decoder.onnx"), providers=["CPUExecutionProvider"])
given = session.get_inputs()[0]
zeros = np.zeros([size if isinstance(size, int) else 1 for size in given.shape], dtype=np.float32)
engine = musetalk.Engine(demo.pack(), device="cpu")
with engine.open_avatar(demo.avatar()) as avatar:
    avatar.push(demo.voice()[:24_000])
    assert session.run(None, {given.name: zeros})[0].size > 1000
    avatar.finish()
    assert sum(1 for _ in avatar) == 25
package = onnxruntime.__path__[0]
assert str(engine.runtime_library).startswith(package), engine.runtime_library
assert engine.runtime_version == onnxruntime.__version__
if sys.platform == "linux":
    lines = open("/proc/self/maps").read().split("\n")
    loaded = {line.split()[-1] for line in lines if "libonnxruntime.so" in line}
    assert len(loaded) <= 1, loaded
print(engine.runtime_version, engine.runtime_library)
"#;

/// A new environment.
struct Fresh {
    /// Of the environment; nothing else is on the path.
    programs: PathBuf,
    /// An empty folder to run in: nothing is found because it lies beside.
    here: PathBuf,
}

/// Installs, runs, measures.
///
/// # Errors
///
/// An option is unknown, something that the manual promises does not run, or a bound is missed.
pub fn run(arguments: &[&str]) -> Outcome {
    let wheels = match arguments {
        [] => target().join("wheels"),
        ["--wheels", folder] => std::path::absolute(folder).map_err(|e| format!("--wheels {folder}: {e}"))?,
        _ => return Err(format!("check wheel does not know {arguments:?}; there is --wheels FOLDER")),
    };
    let fresh = Fresh::install(&wheels)?;
    println!("| what | figure |\n|---|---|");
    fresh.readme()?;
    fresh.console()?;
    fresh.together()?;
    fresh.import()
}

impl Fresh {
    fn install(wheels: &Path) -> Outcome<Self> {
        let folder = target().join("wheel-check");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
        }
        let (venv, here) = (folder.join("venv"), folder.join("here"));
        fs::create_dir_all(&here).map_err(failed("make", &here))?;
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let fresh = Self { programs: programs(&venv), here };
        let mut pip = fresh.command("python");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        // What needs a compiler is not taken.
        pip.args(["--only-binary=:all:", "--find-links"]).arg(wheels).arg("musetalk[cpu,demo]");
        succeed(&mut pip)?;
        succeed(fresh.command("python").args(["-m", "pip", "check", "--disable-pip-version-check"]))?;
        Ok(fresh)
    }

    /// A program of the environment, which finds nothing of this machine but what pip has put there.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.here).env("PATH", &self.programs);
        for variable in ["CC", "CXX", "ORT_DYLIB_PATH", "PYTHONPATH", "MUSETALK_DEMO", "VIRTUAL_ENV"] {
            command.env_remove(variable);
        }
        command.env("MUSETALK_CACHE", self.here.join("cache"));
        command
    }

    /// The ten lines with which everybody begins.
    fn readme(&self) -> Outcome {
        let manual = root().join("bindings").join("python").join("README.md");
        let text = fs::read_to_string(&manual).map_err(failed("read", &manual))?;
        let example = text.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
        let example = example.ok_or_else(|| format!("{} has no program", manual.display()))?;
        let said = succeed(self.command("python").args(["-c", example]))?;
        let frames = String::from_utf8_lossy(&said.stdout).lines().count();
        if frames < 100 {
            return Err(format!("the README's program gave {frames} frames of twelve seconds"));
        }
        println!("| the README's {} lines | run: {frames} frames |", example.lines().count());
        Ok(())
    }

    fn console(&self) -> Outcome {
        for (words, wanted) in [
            (&["--version"][..], "musetalk "),
            (&["doctor"], "ONNX Runtime"),
            (&["demo", "--out", "demo.avi"], ""),
        ] {
            let start = Instant::now();
            let said = succeed(self.command("musetalk").args(words))?;
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            if !said.contains(wanted) {
                return Err(format!("musetalk {} does not say {wanted:?}:\n{said}", words.join(" ")));
            }
            println!("| `musetalk {}` | runs: {:.1} s |", words.join(" "), start.elapsed().as_secs_f64());
        }
        let video = self.here.join("demo.avi");
        let bytes = fs::metadata(&video).map_err(failed("find", &video))?.len();
        if bytes < 100_000 { Err(format!("the demo's video has {bytes} bytes")) } else { Ok(()) }
    }

    fn together(&self) -> Outcome {
        for order in [["onnxruntime", "musetalk"], ["musetalk", "onnxruntime"]] {
            let said = succeed(self.command("python").args(["-c", TOGETHER]).args(order))?;
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            println!("| {} and {} in one process | one library: {} |", order[0], order[1], said.trim());
        }
        Ok(())
    }

    /// Cold starts of the interpreter, with the import and without. Half of them took less.
    fn import(&self) -> Outcome {
        let mut took = [Vec::new(), Vec::new()];
        for _ in 0..STARTS {
            for (code, took) in ["pass", "import musetalk"].into_iter().zip(&mut took) {
                let start = Instant::now();
                succeed(self.command("python").args(["-c", code]))?;
                took.push(start.elapsed());
            }
        }
        let [bare, with] = took.map(|mut took| {
            took.sort();
            took[STARTS / 2]
        });
        let import = with.saturating_sub(bare);
        println!(
            "| `import musetalk` | {} ms of {}: {STARTS} starts with it took {} ms, {STARTS} without {} ms (medians) |",
            import.as_millis(),
            IMPORT.as_millis(),
            with.as_millis(),
            bare.as_millis()
        );
        if import > IMPORT {
            return Err("the import takes too long; on a busy machine measure again".to_owned());
        }
        Ok(())
    }
}

fn succeed(command: &mut Command) -> Outcome<Output> {
    let output = command.output().map_err(|e| format!("{command:?} could not be started: {e}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let [said, wrong] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    Err(format!("{command:?}: {}\n{said}\n{wrong}", output.status))
}
