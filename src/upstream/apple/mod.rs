//! Sign in with Apple.
