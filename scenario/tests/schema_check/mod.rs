//! Checks a value against a JSON schema, as far as the schema of scenarios uses the language of schemas. A keyword that
//! it does not know is an error, so that nothing is passed over.

use serde_json::Value;

/// Why a value does not fit a definition of the schema.
pub(crate) fn check(schema: &Value, of: &str, value: &Value) -> Result<(), String> {
    fits(schema, &schema["$defs"][of], value, of)
}

fn fits(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(keywords) = schema.as_object() else { return Err(format!("{at}: no schema")) };
    for (keyword, rule) in keywords {
        let ok = match keyword.as_str() {
            "description" | "x-default" => true,
            "$ref" => {
                let name = rule.as_str().and_then(|path| path.strip_prefix("#/$defs/")).unwrap_or_default();
                fits(root, &root["$defs"][name], value, &format!("{at} ({name})"))?;
                true
            }
            "type" => {
                let kinds = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                kinds.iter().filter_map(Value::as_str).any(|kind| match kind {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "boolean" => value.is_boolean(),
                    _ => false,
                })
            }
            "const" => rule == value,
            "enum" => rule.as_array().is_some_and(|words| words.contains(value)),
            "required" => {
                let names = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
                names.into_iter().all(|name| value.get(name).is_some())
            }
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = rule.get(name) {
                        fits(root, rule, inner, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    let known = schema["properties"].get(name).is_some();
                    match rule {
                        Value::Bool(allowed) if !known && !allowed => return Err(format!("{at}: no field `{name}`")),
                        Value::Object(_) if !known => fits(root, rule, inner, &format!("{at}.{name}"))?,
                        _ => {}
                    }
                }
                true
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    fits(root, rule, item, &format!("{at}[{i}]"))?;
                }
                true
            }
            "prefixItems" => {
                let rules = rule.as_array().into_iter().flatten();
                for (rule, item) in rules.zip(value.as_array().into_iter().flatten()) {
                    fits(root, rule, item, at)?;
                }
                true
            }
            "maxItems" => {
                value.as_array().is_none_or(|items| rule.as_u64().is_none_or(|most| items.len() as u64 <= most))
            }
            "anyOf" => {
                let forms: Vec<_> = rule.as_array().into_iter().flatten().collect();
                let errors: Vec<String> = forms.iter().filter_map(|form| fits(root, form, value, at).err()).collect();
                if errors.len() == forms.len() {
                    // The form that comes furthest is the one that was meant.
                    let depth =
                        |error: &&String| (!error.contains("const"), error.split(':').next().map_or(0, str::len));
                    return Err(errors.iter().max_by_key(depth).cloned().unwrap_or_default());
                }
                true
            }
            "allOf" => {
                for form in rule.as_array().into_iter().flatten() {
                    fits(root, form, value, at)?;
                }
                true
            }
            keyword => return Err(format!("{at}: unknown keyword `{keyword}`")),
        };
        if !ok {
            return Err(format!("{at}: {keyword} {rule} does not hold of {value}"));
        }
    }
    Ok(())
}
