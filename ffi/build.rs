//! Gives the shared library the name that says which interface it has.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Equals MUSETALK_ABI_VERSION; the test `the_name_says_the_version` compares them.
    let abi = 1;
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android" | "freebsd") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmusetalk.so.{abi}");
        }
        Ok("macos") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libmusetalk.{abi}.dylib");
        }
        _ => {}
    }
}
