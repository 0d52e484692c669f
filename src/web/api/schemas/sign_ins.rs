//! Traces of sign-ins.

use serde_json::{Value, json};

use super::overview::explanation;
use super::{Schema, list, of, or_null, page, text, told};

pub(in crate::web::api) const ONE: Schema = Schema::new("SignIn", one);
pub(in crate::web::api) const STEPS: Schema = Schema::new("SignInSteps", || page(step()));

fn step() -> Value {
    told(of([
        ("sign_in", text()),
        ("at", json!({ "type": "integer", "description": "Milliseconds since the epoch" })),
        ("step", text()),
        ("detail", json!({})),
    ]))
}

fn one() -> Value {
    told(of([("id", text()), ("steps", list(step())), ("explanation", or_null(explanation()))]))
}
