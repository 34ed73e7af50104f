//! The policy of an order in one text, as its record keeps it: `name@version`, with ` trial:NAME` or ` control:NAME` behind it
//! where a trial shared out the orders. Records of before there were versions have the name alone.

/// A record's policy text taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    /// Name of the policy.
    pub name: &'a str,
    /// Version of its book.
    pub version: Option<&'a str>,
    /// "trial" or "control", and the trial's name.
    pub trial: Option<(&'a str, &'a str)>,
}

impl<'a> Label<'a> {
    /// Of a record's text.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let (policy, trial) = match text.split_once(' ') {
            Some((policy, trial)) => (policy, trial.split_once(':')),
            None => (text, None),
        };
        let (name, version) = match policy.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (policy, None),
        };
        Self { name, version, trial }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.name.to_owned();
        if let Some(version) = self.version {
            text.push('@');
            text.push_str(version);
        }
        if let Some((arm, trial)) = self.trial {
            text.push(' ');
            text.push_str(arm);
            text.push(':');
            text.push_str(trial);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        for (text, name, version, trial) in [
            ("cheapest", "cheapest", None, None),
            ("cheapest@built-in", "cheapest", Some("built-in"), None),
            ("economy@2026-11-11.1 trial:near", "economy", Some("2026-11-11.1"), Some(("trial", "near"))),
            ("economy@3 control:near", "economy", Some("3"), Some(("control", "near"))),
        ] {
            let label = Label::parse(text);
            assert_eq!(label, Label { name, version, trial });
            assert_eq!(label.text(), text);
        }
    }

    #[test]
    fn strange_text_is_a_name() {
        for text in ["", "@", " ", "a b", "a@b c"] {
            let label = Label::parse(text);
            assert_eq!(label.trial, None, "{text:?}");
        }
    }
}
