//! Another id for a model that was described already.

use std::fs;
use std::io;
use std::path::Path;

use super::super::model::{DESCRIPTION, Model};
use super::write::quoted;

/// Gives `model` in `folder`, and its styles with their thumbnails, the id and name `to` in place of
/// `from`. Its other files keep their names: nobody sees them.
pub(super) fn rename(
    folder: &Path,
    model: &Model,
    from: (&str, &str),
    to: (&str, &str),
) -> io::Result<()> {
    let other = |text: &str, from: &str, to: &str| match text.strip_prefix(from) {
        Some(rest) => format!("{to}{rest}"),
        None => text.to_owned(),
    };
    let mut changes = vec![
        (
            format!("id = {}", quoted(from.0)),
            format!("id = {}", quoted(to.0)),
        ),
        (
            format!("name = {}", quoted(from.1)),
            format!("name = {}", quoted(to.1)),
        ),
    ];
    let mut thumbnails = Vec::new();
    for style in model.styles() {
        let id = other(&style.id, from.0, to.0);
        let name = other(&style.name.en, from.1, to.1);
        changes.push((
            format!("id = {}", quoted(&style.id)),
            format!("id = {}", quoted(&id)),
        ));
        changes.push((
            format!("name.en = {}", quoted(&style.name.en)),
            format!("name.en = {}", quoted(&name)),
        ));
        thumbnails.push((style.id.clone(), id));
    }
    let path = folder.join(DESCRIPTION);
    let text = fs::read_to_string(&path)?;
    let mut in_ports = false;
    let lines = text.lines().map(|line| {
        in_ports = match line.starts_with('[') {
            true => line != "[[styles]]",
            false => in_ports,
        };
        let change = changes.iter().find(|(before, _)| before == line);
        match change {
            // The name of an input may be that of the style.
            Some((_, after)) if !in_ports => after.as_str(),
            _ => line,
        }
    });
    let text: Vec<&str> = lines.collect();
    fs::write(&path, text.join("\n") + "\n")?;
    for (before, after) in thumbnails {
        let path = |id: &str| folder.join("thumbnails").join(format!("{id}.png"));
        if path(&before).exists() {
            fs::rename(path(&before), path(&after))?;
        }
    }
    Ok(())
}
