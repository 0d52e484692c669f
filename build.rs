//! Lays what a release runs together at the beginning of its code, so that the kernel, which maps
//! 64 KiB around whatever is touched, maps little else
//! (docs/decisions/0042-what-runs-lies-together.md).

use std::env;
use std::path::Path;
use std::process::Command;

const FUNCTIONS: &str = "layout/functions";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FUNCTIONS}");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("TARGET", "x86_64-unknown-linux-gnu") && links_with_lld() {
        let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={root}/{FUNCTIONS}");
        // A name that another version of the compiler makes otherwise is passed over.
        println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}

/// Whether the linker is the one that comes with the compiler. Another one may not know the option,
/// and a build without it is the same program.
fn links_with_lld() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if env::var_os("RUSTC_LINKER").is_some() || flags.contains("link") {
        return false;
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Ok(answer) = Command::new(rustc).args(["--print", "sysroot"]).output() else {
        return false;
    };
    let sysroot = String::from_utf8_lossy(&answer.stdout);
    let shipped = "lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld";
    Path::new(sysroot.trim()).join(shipped).is_file()
}
