//! Bundles `ts/` and `css/` with esbuild in `OUT_DIR` (the source tree stays as it is), compresses each file, and writes the table `lib.rs` includes.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

/// What esbuild starts from; each becomes one file of `dist/`.
const ENTRIES: [&str; 13] = [
    "ts/theme.ts",
    "ts/site.ts",
    "ts/consumer.ts",
    "ts/sources.ts",
    "ts/screens.ts",
    "ts/kiosk.ts",
    "ts/actions.ts",
    "ts/producer.ts",
    "ts/docs.ts",
    "ts/account.ts",
    "ts/screen.ts",
    "css/site.css",
    "css/screen.css",
];
/// What is served as its package has it.
const READY: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];
const COPIED: [&str; 5] = ["ts", "css", "package.json", "package-lock.json", "tsconfig.json"];
const ADVICE: &str = "the pages are built with Node: install Node 20 or newer with npm (https://nodejs.org), or `apt install nodejs npm`";

fn main() -> Result<()> {
    let web = PathBuf::from(env::var("OUT_DIR")?).join("web");
    for name in COPIED {
        println!("cargo::rerun-if-changed={name}");
    }
    fs::create_dir_all(&web)?;
    for name in ["ts", "css", "dist"] {
        if web.join(name).exists() {
            fs::remove_dir_all(web.join(name))?;
        }
    }
    for name in COPIED {
        copy(Path::new(name), &web.join(name))?;
    }
    install(&web)?;
    bundle(&web)?;
    fs::copy("css/icon.svg", web.join("dist/icon.svg"))?;
    for name in READY {
        copy(&web.join("node_modules/swagger-ui-dist").join(name), &web.join("dist").join(name))?;
    }
    write_table(&web.join("dist"), &web.join("table.rs"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

/// `npm ci`, but only when the lock file is not the one that was installed last.
fn install(web: &Path) -> Result<()> {
    let lock = hex(&fs::read(web.join("package-lock.json"))?);
    let stamp = web.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    run(Command::new("npm").args(npm).current_dir(web))?;
    Ok(fs::write(stamp, lock)?)
}

fn bundle(web: &Path) -> Result<()> {
    run(Command::new("node")
        .arg("node_modules/esbuild/bin/esbuild")
        .args(ENTRIES)
        .args(["--bundle", "--minify", "--format=iife", "--target=es2022", "--charset=utf8"])
        .args(["--legal-comments=eof", "--entry-names=[name]", "--outdir=dist", "--log-level=warning"])
        .current_dir(web))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => bail!("cannot start {program} ({error}): {ADVICE}"),
    };
    ensure!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}\nif packages cannot be fetched: check the network, or fill the npm cache once and set npm_config_offline=true",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Ok(())
}

/// One line per file of `dist`: its name, its hash, and its bytes plain, as brotli and as gzip.
fn write_table(dist: &Path, table: &Path) -> Result<()> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(dist)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut text = String::from("&[\n");
    for name in names {
        let path = dist.join(&name);
        let plain = fs::read(&path)?;
        let hash = &hex(&plain)[..16];
        let (stem, extension) = name.rsplit_once('.').context("an asset has an extension")?;
        let (br, gz) = (dist.join(format!("{name}.br")), dist.join(format!("{name}.gz")));
        fs::write(&br, brotli(&plain)?)?;
        fs::write(&gz, gzip(&plain)?)?;
        writeln!(
            text,
            "Asset {{ name: {name:?}, url: \"/assets/{stem}-{hash}.{extension}\", hash: {hash:?}, plain: {}, br: {}, gzip: {} }},",
            include(&path),
            include(&br),
            include(&gz),
        )?;
    }
    Ok(fs::write(table, text + "]\n")?)
}

fn include(path: &Path) -> String {
    format!("include_bytes!({:?})", path.to_string_lossy())
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 11, 22).write_all(bytes)?;
    Ok(out)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
