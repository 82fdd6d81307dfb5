//! Style, script and icon, embedded. Their addresses hold their hash, so that browsers may keep them for ever.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// Something that pages load from us.
pub struct Asset {
    /// Its path.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub body: &'static str,
}

/// The style of all pages.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| asset("css", "text/css; charset=utf-8", include_str!("../assets/bokbro.css")));
/// What refreshes and confirms.
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| asset("js", "text/javascript; charset=utf-8", include_str!("../assets/bokbro.js")));

/// The bridge that stands beside a page's name.
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| asset("svg", "image/svg+xml", include_str!("../assets/bokbro.svg")));

/// The asset at a path.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.path == path)
}

fn asset(extension: &str, content_type: &'static str, body: &'static str) -> Asset {
    let hash: String =
        Sha256::digest(body.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Asset { path: format!("/app/assets/bokbro-{hash}.{extension}"), content_type, body }
}
