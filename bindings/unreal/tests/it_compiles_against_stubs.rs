//! The part of the plugin that needs Unreal, against declarations of what it uses. That shows that it is C++ and agrees with those declarations;
//! that they agree with the engine, only the engine can show.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use musetalk_tests::scratch;
use musetalk_unreal::{Compiler, files, here, module, pass};

fn compile(compiler: &Compiler, file: &Path, object: &Path, switches: &[&str]) {
    let mut arguments: Vec<OsString> = switches.iter().map(Into::into).collect();
    arguments.extend(["-c".into(), "-o".into(), object.into(), file.into()]);
    for folder in [here().join("stubs"), module().join("Public")] {
        arguments.extend(["-I".into(), folder.into()]);
    }
    let output = compiler.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {switches:?}:\n{said}", file.display());
}

/// One file that includes all of them, as the engine builds modules: names that meet are found out.
fn together(folder: &Path) -> PathBuf {
    let mut text = String::new();
    for folder in ["Private/Core", "Private"] {
        for file in files(&module().join(folder), "cpp") {
            writeln!(text, "#include \"{}\"", file.display()).expect("text can be written to");
        }
    }
    let file = folder.join("together.cpp");
    std::fs::write(&file, text).expect("a file can be written");
    file
}

#[test]
fn every_file_alone() {
    let Some(compiler) = Compiler::find() else { return };
    let folder = scratch("unreal-alone");
    for file in files(&module().join("Private"), "cpp") {
        compile(&compiler, &file, &folder.join("alone.o"), &["-std=c++17", "-DMUSETALK_WITH_LIBRARY=1"]);
    }
    for header in files(&module().join("Public"), "h") {
        // Twice: what a game includes must not mind.
        let file = folder.join("header.cpp");
        let include = format!("#include \"{}\"\n", header.display());
        std::fs::write(&file, include.repeat(2)).expect("a file can be written");
        compile(&compiler, &file, &folder.join("header.o"), &["-std=c++17"]);
    }
}

/// What the first program of the manual takes for granted.
const TALKER: &str = "\
class ATalker : public AActor
{
    using Super = AActor;
    void BeginPlay() override;
    void OnOpened(EMuseTalkStatus Status, const FString& Message);
    void OnFaceChanged(UTexture2D* Face);
    UMuseTalkAvatarComponent* Avatar;
    UMaterialInstanceDynamic* Material;
};
";

#[test]
fn the_program_in_the_manual() {
    let Some(compiler) = Compiler::find() else { return };
    let manual =
        std::fs::read_to_string(here().join("../../docs/hosts/unreal.md")).expect("the manual is there");
    let blocks: Vec<&str> = manual
        .split("```cpp\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .collect();
    let [hello] = blocks[..] else { panic!("a block that came later must be compiled here: {blocks:?}") };
    let (includes, body) = hello.split_once("\n\n").expect("the includes end with an empty line");
    let folder = scratch("unreal-manual");
    let file = folder.join("hello.cpp");
    std::fs::write(&file, format!("{includes}\n\n{TALKER}\n{body}")).expect("a file can be written");
    compile(&compiler, &file, &folder.join("hello.o"), &["-std=c++17"]);
}

#[test]
fn all_together_and_nothing_is_missing() {
    let Some(compiler) = Compiler::find() else { return };
    let folder = scratch("unreal-together");
    let (file, object) = (together(&folder), folder.join("together.o"));
    // The engine's macros stand in front of the plain core too.
    let core = ["-include", "Unreal.h"];
    compile(&compiler, &file, &object, &[&["-std=c++17", "-DMUSETALK_WITH_LIBRARY=1"][..], &core].concat());

    let Ok(symbols) = Command::new("nm").arg("-uC").arg(&object).output() else {
        println!("SKIPPED: no nm, so that functions without a body are not looked for");
        return;
    };
    let symbols = String::from_utf8_lossy(&symbols.stdout).into_owned();
    let ours = ["U UMuseTalk", "U FMuseTalk", "U MuseTalkNative::", "U MuseTalk::", "U musetalk_"];
    let mut missing: Vec<&str> = symbols.lines().map(str::trim).collect();
    // What the engine makes for a class of ours begins with our name too.
    missing.retain(|line| ours.iter().any(|name| line.starts_with(name)) && !line.contains("<UMuseTalk"));
    assert!(missing.is_empty(), "declared and never written, or linked to the library: {missing:#?}");
    assert!(
        symbols.contains("FPlatformProcess::GetDllHandle"),
        "the library is opened at run time:\n{symbols}"
    );
}

#[test]
fn without_the_library_as_the_null_implementation() {
    let Some(compiler) = Compiler::find() else { return };
    let folder = scratch("unreal-null");
    let (file, object) = (together(&folder), folder.join("null.o"));
    compile(&compiler, &file, &object, &["-std=c++17", "-DMUSETALK_WITH_LIBRARY=0"]);
    let Ok(symbols) = Command::new("nm").arg("-uC").arg(&object).output() else { return };
    let symbols = String::from_utf8_lossy(&symbols.stdout).into_owned();
    assert!(!symbols.contains("GetDllHandle"), "nothing is opened where there is nothing:\n{symbols}");
}

#[test]
fn in_later_engines_and_on_other_systems() {
    let Some(compiler) = Compiler::find() else { return };
    let folder = scratch("unreal-variants");
    let (file, object) = (together(&folder), folder.join("variant.o"));
    let library = "-DMUSETALK_WITH_LIBRARY=1";
    compile(&compiler, &file, &object, &["-std=c++20", library, "-DSTUB_ENGINE_MINOR=4", "-DPLATFORM_MAC=1"]);
    compile(
        &compiler,
        &file,
        &object,
        &["-std=c++20", library, "-DPLATFORM_WINDOWS=1", "-fno-exceptions", "-fno-rtti"],
    );
}

#[test]
fn every_end_of_a_conversation_is_told_once() {
    if !cfg!(target_os = "linux") {
        println!("SKIPPED: a program that lacks what it does not call is linked for Linux alone");
        return;
    }
    let Some(compiler) = Compiler::find() else { return };
    let program = scratch("unreal-closing").join("closing");
    let mut arguments: Vec<OsString> = ["-std=c++17", "-g", "-O1", "-DMUSETALK_WITH_LIBRARY=1", "-no-pie"]
        .into_iter()
        .chain(["-Wl,--unresolved-symbols=ignore-all", "-o"])
        .map(Into::into)
        .collect();
    arguments.extend([program.clone().into(), here().join("tests/closing.cpp").into()]);
    for folder in [here().join("stubs"), module().join("Public")] {
        arguments.extend(["-I".into(), folder.into()]);
    }
    let output = compiler.run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    pass(&mut Command::new(program));
}

#[test]
fn its_build_rules_are_sound() {
    let rules = [
        here().join("stubs/UnrealBuildTool.cs"),
        module().join("MuseTalk.Build.cs"),
        module().join("../ThirdParty/MuseTalkNative/MuseTalkNative.Build.cs"),
    ];
    if Command::new("mcs").arg("--version").output().is_err() {
        println!("SKIPPED: no C# compiler; `mcs` does not run");
        return;
    }
    let out = scratch("unreal-rules").join("rules.dll");
    pass(
        Command::new("mcs")
            .args(["-target:library", "-warnaserror"])
            .arg(format!("-out:{}", out.display()))
            .args(rules),
    );
}
