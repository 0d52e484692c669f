//! `russet audit`

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::op::admin::audit::Verification;
use crate::op::admin::described::verification;

#[derive(Debug, clap::Subcommand)]
pub(super) enum AuditCommand {
    /// Prove that the log is as it was recorded: no byte changed, no event removed.
    #[command(after_help = "Exit code 1 when something is wrong. It prints the newest link; note \
                            it elsewhere and give it back with --link to prove that nothing up to \
                            it was changed, not even by somebody who holds the master key.")]
    Verify {
        /// A link that was noted before, as it was printed.
        #[arg(long, value_name = "SEQ:TAG", value_parser = link)]
        link: Option<(i64, String)>,
    },
}

fn link(text: &str) -> Result<(i64, String), String> {
    let (seq, tag) = text.split_once(':').ok_or("it reads SEQ:TAG, such as 42:sF3k…")?;
    let seq = seq.parse().map_err(|_| "the part before the colon is a number")?;
    Ok((seq, tag.to_owned()))
}

pub(super) async fn run(place: &Place, command: AuditCommand) -> Result<Answer, CliError> {
    let administration = place.broker().await?.administration;
    match command {
        AuditCommand::Verify { link } => {
            // What a broker that has stopped did not link any more is linked now.
            administration.chain_events().await?;
            Ok(told(&administration.verify_audit(link).await?))
        }
    }
}

fn told(found: &Verification) -> Answer {
    let head = found.head.map(|link| format!("{}:{}", link.seq, link.hash.to_text()));
    let faults: Vec<String> = found.faults.iter().map(ToString::to_string).collect();
    let good = faults.is_empty();
    let mut text = if good {
        format!("The chain is whole: {} events\n", found.checked)
    } else {
        format!("The chain is broken: {} events looked at\n", found.checked)
    };
    for fault in &faults {
        text.push_str(&format!("  {fault}\n"));
    }
    if found.from > 0 {
        text.push_str(&format!(
            "let go before, under a sealed checkpoint: up to link {}\n",
            found.from
        ));
    }
    if let Some(head) = &head {
        text.push_str(&format!("newest link: {head}\n"));
    }
    Answer { text, json: verification(found), good }
}
