//! What a library offers, one line for each thing, sorted: the same form whatever the language.

use anyhow::ensure;
use uniffi_bindgen::macro_metadata;
use uniffi_meta::{Metadata, ObjectImpl, Type};

use crate::types::{arguments, camel, fields, script};

/// The list of a library's API.
///
/// # Errors
/// When the library cannot be read, or something in it has no docs or cannot cross the API.
pub fn list(library: &str) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for item in macro_metadata::extract_from_library(library.into())? {
        read(&item, &mut lines)?;
    }
    lines.sort();
    lines.dedup();
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn read(item: &Metadata, lines: &mut Vec<String>) -> anyhow::Result<()> {
    match item {
        Metadata::Func(function) => {
            documented(&function.name, function.docstring.as_deref())?;
            let gives = gives(function.return_type.as_ref(), function.is_async)?;
            let throws = throws(function.throws.as_ref())?;
            lines.push(format!(
                "{}({}): {gives}{throws}",
                camel(&function.name),
                arguments(&function.inputs)?
            ));
        }
        Metadata::Object(object) => {
            documented(&object.name, object.docstring.as_deref())?;
            let kind = if object.imp == ObjectImpl::Struct { "class" } else { "interface" };
            lines.push(format!("{kind} {}", object.name));
        }
        Metadata::Constructor(method) => {
            let name = format!("{}.{}", method.self_name, camel(&method.name));
            documented(&name, method.docstring.as_deref())?;
            let gives = if method.is_async {
                format!("Promise<{}>", method.self_name)
            } else {
                method.self_name.clone()
            };
            let throws = throws(method.throws.as_ref())?;
            lines.push(format!("static {name}({}): {gives}{throws}", arguments(&method.inputs)?));
        }
        Metadata::Method(method) => {
            let name = format!("{}.{}", method.self_name, camel(&method.name));
            documented(&name, method.docstring.as_deref())?;
            let gives = gives(method.return_type.as_ref(), method.is_async)?;
            let throws = throws(method.throws.as_ref())?;
            lines.push(format!("{name}({}): {gives}{throws}", arguments(&method.inputs)?));
        }
        Metadata::TraitMethod(method) => {
            let name = format!("{}.{}", method.trait_name, camel(&method.name));
            documented(&name, method.docstring.as_deref())?;
            let gives = gives(method.return_type.as_ref(), method.is_async)?;
            lines.push(format!("{name}({}): {gives}", arguments(&method.inputs)?));
        }
        Metadata::Record(record) => {
            documented(&record.name, record.docstring.as_deref())?;
            lines.push(format!("interface {}", record.name));
            for (field, line) in record.fields.iter().zip(fields(&record.fields)?) {
                documented(&format!("{}.{}", record.name, field.name), field.docstring.as_deref())?;
                lines.push(format!("{}.{line}", record.name));
            }
        }
        Metadata::Enum(choice) => {
            documented(&choice.name, choice.docstring.as_deref())?;
            let plain = choice.variants.iter().all(|variant| variant.fields.is_empty());
            for variant in &choice.variants {
                let name = camel(&variant.name);
                documented(&format!("{}.{name}", choice.name), variant.docstring.as_deref())?;
                let mut parts = vec![match (choice.shape.is_error(), plain) {
                    (true, _) => format!("kind: \"{name}\""),
                    (false, false) => format!("type: \"{name}\""),
                    (false, true) => {
                        lines.push(format!("{} = \"{name}\"", choice.name));
                        continue;
                    }
                }];
                for field in &variant.fields {
                    documented(
                        &format!("{}.{name}.{}", choice.name, field.name),
                        field.docstring.as_deref(),
                    )?;
                }
                parts.extend(fields(&variant.fields)?);
                lines.push(format!("{} = {{ {} }}", choice.name, parts.join("; ")));
            }
        }
        Metadata::Namespace(_)
        | Metadata::UdlFile(_)
        | Metadata::CallbackInterface(_)
        | Metadata::CustomType(_)
        | Metadata::UniffiTrait(_)
        | Metadata::ObjectTraitImpl(_) => {}
    }
    Ok(())
}

fn gives(kind: Option<&Type>, is_async: bool) -> anyhow::Result<String> {
    let kind = kind.map_or_else(|| Ok("void".to_owned()), script)?;
    Ok(if is_async { format!("Promise<{kind}>") } else { kind })
}

fn throws(kind: Option<&Type>) -> anyhow::Result<String> {
    kind.map_or_else(|| Ok(String::new()), |kind| Ok(format!(" throws {}", script(kind)?)))
}

fn documented(name: &str, docs: Option<&str>) -> anyhow::Result<()> {
    ensure!(docs.is_some_and(|docs| !docs.trim().is_empty()), "{name} has no docs");
    Ok(())
}
