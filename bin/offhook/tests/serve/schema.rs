//! Does an answer fit the schema that the document gives it? As much of JSON Schema as the document uses; another word is refused.

use serde_json::Value;

/// Checks a value against the schema of this name.
pub(crate) fn check(document: &Value, name: &str, value: &Value) {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "no schema {name}");
    if let Err(why) = fits(document, schema, value) {
        panic!("{name}: {why}\n{value:#}");
    }
}

/// Checks an answer to a request against what the document says of it.
pub(crate) fn check_answer(document: &Value, (method, path): (&str, &str), value: &Value) {
    let answers = &document["paths"][path][method]["responses"];
    let answer = answers
        .as_object()
        .and_then(|answers| answers.iter().find(|(status, _)| status.starts_with('2')));
    let schema = &answer.expect("described").1["content"]["application/json"]["schema"];
    if let Err(why) = fits(document, schema, value) {
        panic!("{method} {path}: {why}\n{value:#}");
    }
}

fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (word, wish) in schema.as_object().ok_or("no schema")? {
        match word.as_str() {
            "$ref" => {
                let name =
                    wish.as_str().and_then(|wish| wish.strip_prefix("#/components/schemas/"));
                let schema = &document["components"]["schemas"][name.ok_or("a strange $ref")?];
                fits(document, schema, value)?;
            }
            "type" => {
                let kinds = wish.as_array().cloned().unwrap_or_else(|| vec![wish.clone()]);
                if !kinds.iter().any(|kind| is(kind.as_str().unwrap_or_default(), value)) {
                    return Err(format!("{value} is not {wish}"));
                }
            }
            "oneOf" => {
                let all = wish.as_array().ok_or("a strange oneOf")?;
                let fitting = all.iter().filter(|one| fits(document, one, value).is_ok()).count();
                if fitting != 1 {
                    return Err(format!("{value} fits {fitting} of {wish}"));
                }
            }
            "enum" => {
                if !wish.as_array().is_some_and(|words| words.contains(value)) {
                    return Err(format!("{value} is none of {wish}"));
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    fits(document, wish, item)?;
                }
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let strange = schema["additionalProperties"] == false && wish[name].is_null();
                    if strange {
                        return Err(format!("`{name}` is not described"));
                    }
                    if !wish[name].is_null() {
                        fits(document, &wish[name], value)
                            .map_err(|why| format!("{name}: {why}"))?;
                    }
                }
            }
            "required" => {
                for name in wish.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    value.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
                }
            }
            "description" | "additionalProperties" => {}
            other => return Err(format!("the schema says `{other}`, which nobody checks")),
        }
    }
    Ok(())
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}
