//! `panelcam runtime`: what runs the generator, besides the CPU.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Session, print, print_json, say};
use crate::inference::provider::{self, Entry, Removed, State, Verdict};
use crate::inference::{Model, Runtime};
use crate::settings::Provider;

#[derive(Args)]
pub(super) struct Arguments {
    /// Print one JSON value.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// List providers, and whether those that are there work.
    List,
    /// Fetch a provider and check it.
    Add {
        /// Which.
        name: Provider,
    },
    /// Take a provider away.
    Remove {
        /// Which.
        name: Provider,
    },
}

/// What the hidden command is told.
#[derive(Args)]
pub(super) struct Check {
    provider: Provider,
    answer: PathBuf,
    model: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self, session: &Session) {
        provider::check_here(&session.places, self.provider, &self.answer, self.model);
    }
}

pub(super) fn run(session: &Session, arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command.unwrap_or(Command::List) {
        Command::List => {
            list(session, arguments.json);
            Ok(())
        }
        Command::Add { name } => {
            let folder = provider::add(&session.places, name, &mut say)?;
            say(&format!("{} is there. ({})", name.name(), folder.display()));
            for verdict in verdicts(session) {
                if verdict.provider == name {
                    say(&verdict.text());
                }
            }
            Ok(())
        }
        Command::Remove { name } => {
            say(&removed(name, &provider::remove(&session.places, name)?));
            Ok(())
        }
    }
}

/// What went, for people.
fn removed(name: Provider, what: &Removed) -> String {
    let name = name.name();
    match what {
        Removed::Package { folder, others } if others.is_empty() => {
            format!("{name} was removed. ({})", folder.display())
        }
        Removed::Package { folder, others } => {
            let others: Vec<&str> = others.iter().map(|other| other.name()).collect();
            format!(
                "{name} was removed, and with it {}, which is in the same package. ({})",
                others.join(", "),
                folder.display()
            )
        }
        Removed::Engines { folder, owner } => format!(
            "What {name} had compiled was removed. The rest is in the package of {}; to take both away, run: panelcam runtime remove {} ({})",
            owner.name(),
            owner.id(),
            folder.display()
        ),
    }
}

/// Of the providers that are there; checks what is not known to work.
pub(super) fn verdicts(session: &Session) -> Vec<Verdict> {
    let (runtime, model) = match (Runtime::load(&session.places), Model::builtin()) {
        (Ok(runtime), Ok(model)) => (runtime, model),
        (Err(error), _) | (_, Err(error)) => {
            say(&format!("Nothing can be checked. {error}"));
            return Vec::new();
        }
    };
    provider::verdicts(&runtime, &model, &session.places, &say)
}

fn list(session: &Session, json: bool) {
    let entries = provider::list(&session.places);
    let verdicts = verdicts(session);
    let verdict = |entry: &Entry| {
        verdicts
            .iter()
            .find(|verdict| verdict.provider == entry.provider)
    };
    if json {
        let list: Vec<_> = entries
            .iter()
            .map(|entry| {
                let works = match (entry.provider, verdict(entry)) {
                    (Provider::Cpu, _) => Some(true),
                    (_, Some(verdict)) => Some(verdict.is_good()),
                    _ => None,
                };
                json!({
                    "id": entry.provider.id(),
                    "name": entry.provider.name(),
                    "state": match entry.state {
                        State::Present => "present",
                        State::Absent => "absent",
                        State::NotHere => "not here",
                    },
                    "works": works,
                    "text": verdict(entry).map(Verdict::text),
                })
            })
            .collect();
        return print_json(&list.into());
    }
    for entry in &entries {
        let id = entry.provider.id();
        let state = match (entry.state, verdict(entry)) {
            (State::Present, Some(verdict)) => verdict.text(),
            (State::Present, None) => "is there".to_owned(),
            (State::Absent, _) => format!("can be added: panelcam runtime add {id}"),
            (State::NotHere, _) => "not for this machine".to_owned(),
        };
        let needs = if entry.needs.is_empty() || entry.state == State::NotHere {
            String::new()
        } else {
            format!("; needs {}", entry.needs)
        };
        print(&format!("{id:13} {}{needs}", entry.about));
        print(&format!("{:13} {state}", ""));
    }
}
