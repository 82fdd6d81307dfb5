//! The page on which a provider shows its customer what opens its API, and asks where webhooks should go.

use axum::response::Html;

/// What the page shows.
pub(crate) struct Desk<'a> {
    /// Whose page it is.
    pub(crate) title: &'a str,
    /// What opens the API, by name.
    pub(crate) entries: &'a [(&'a str, &'a str)],
    /// What can be entered: name, what it is for, and what it is now.
    pub(crate) fields: &'a [(&'a str, &'a str, Option<&'a str>)],
    /// What became of what was entered.
    pub(crate) told: &'a str,
}

impl Desk<'_> {
    /// The page; its form is posted to where it came from.
    pub(crate) fn page(&self) -> Html<String> {
        let title = escaped(self.title);
        let entries = self.entries.iter().map(|(name, value)| {
            format!(
                "<tr><th scope=\"row\">{}</th><td><code>{}</code></td></tr>\n",
                escaped(name),
                escaped(value)
            )
        });
        let fields = self.fields.iter().map(|(name, about, value)| {
            format!(
                "<p><label>{} <input name=\"{name}\" size=\"80\" value=\"{}\"></label></p>\n",
                escaped(about),
                escaped(value.unwrap_or_default())
            )
        });
        let (entries, fields): (String, String) = (entries.collect(), fields.collect());
        let told = escaped(self.told);
        Html(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body><h1>{title}</h1>\n<p>This stands in for the provider's own pages; all values are made up.</p>\n\
             <table>\n{entries}</table>\n<form method=\"post\">\n{fields}<button>Store</button></form>\n\
             <p role=\"status\">{told}</p></body></html>\n"
        ))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_no_code() {
        let hostile = "\"><script>";
        let Html(page) = Desk {
            title: "Desk",
            entries: &[("name", hostile)],
            fields: &[("url", "Where to", Some(hostile))],
            told: hostile,
        }
        .page();
        assert!(!page.contains("<script>") && page.contains("&quot;>&lt;script>"), "{page}");
    }
}
