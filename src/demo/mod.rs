//! What stands around a broker in life, for `russet dev`: an app that signs people in with it, and
//! an API that accepts its access tokens.
//!
//! Both are written as an outsider would write them. They know the broker by its issuer alone and
//! import nothing of it but the clock and the randomness that are handed in.

pub mod api;
pub mod app;
mod outbound;
mod server;

pub use server::Running;

/// Whether somebody answers at `url` without a fault of their own.
pub async fn answers(url: &str) -> bool {
    let Ok(outbound) = outbound::Outbound::new() else { return false };
    let Ok(request) = outbound::get(url, None) else { return false };
    outbound.send(request).await.is_ok_and(|answer| !answer.status().is_server_error())
}

#[cfg(test)]
mod tests;
