//! Values kept elsewhere, as Kafka's config providers name them (KIP-297, KIP-421): `${env:NAME}`, `${file:PATH:KEY}` and
//! `${directory:PATH:KEY}`. Java needs `config.providers` lines first; here the three are known by those names without.

use super::text;
use crate::bom;
use crate::failure::{Failure, Outcome};
use regex::Regex;
use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

/// Where a provider looks.
enum Provider {
    /// The environment, only names that match the pattern whole if there is one.
    Environment(Option<Regex>),
    /// A property file.
    File(Allowed),
    /// A folder with a file for each key.
    Directory(Allowed),
}

/// The folders and files that may be read; empty allows all.
#[derive(Default)]
struct Allowed(Vec<PathBuf>);

/// Puts what providers answer in the place of each reference; `config.providers` and its parameters are gone then.
///
/// # Errors
/// When a provider is of a class that is not known here, or has nothing under a name.
pub(super) fn resolve(given: &mut BTreeMap<String, String>) -> Outcome {
    let providers = providers(given)?;
    for (name, value) in given.iter_mut() {
        if value.contains("${") {
            *value = replaced(value, &providers)
                .map_err(|why| Failure::usage(format!("the value of `{name}` cannot be had")).because(why))?;
        }
    }
    Ok(())
}

fn providers(given: &mut BTreeMap<String, String>) -> Outcome<BTreeMap<String, Provider>> {
    let mut known = BTreeMap::from([
        ("env".to_owned(), Provider::Environment(None)),
        ("file".to_owned(), Provider::File(Allowed::default())),
        ("directory".to_owned(), Provider::Directory(Allowed::default())),
    ]);
    let names = given.remove("config.providers").unwrap_or_default();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let class = given.remove(&format!("config.providers.{name}.class"));
        let mut parameter = |what: &str| given.remove(&format!("config.providers.{name}.param.{what}"));
        let class = class.unwrap_or_default();
        let provider = match class.rsplit('.').next() {
            Some("EnvVarConfigProvider") => Provider::Environment(pattern(parameter("allowlist.pattern"))?),
            Some("FileConfigProvider") => Provider::File(Allowed::new(parameter("allowed.paths"))),
            Some("DirectoryConfigProvider") => Provider::Directory(Allowed::new(parameter("allowed.paths"))),
            _ => {
                return Err(
                    Failure::usage(format!("the config provider `{name}` cannot be used"))
                        .because(format!("its class is `{class}`, which only Java can load"))
                        .hint(
                            "EnvVarConfigProvider, FileConfigProvider and DirectoryConfigProvider of \
                         org.apache.kafka.common.config.provider are known here",
                        ),
                );
            }
        };
        known.insert(name.to_owned(), provider);
    }
    Ok(known)
}

fn pattern(text: Option<String>) -> Outcome<Option<Regex>> {
    text.map(|text| {
        Regex::new(&format!("^(?:{text})$")).map_err(|error| {
            Failure::usage("the `allowlist.pattern` of a config provider cannot be used").because(error)
        })
    })
    .transpose()
}

/// `text` with every reference replaced. As in Java, what names no provider stays, and what was put in is not looked
/// through again.
fn replaced(text: &str, providers: &BTreeMap<String, Provider>) -> Result<String, String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        done.push_str(before);
        let reference = after.split_once('}').and_then(|(inside, behind)| {
            let (name, wanted) = inside.split_once(':')?;
            Some((providers.get(name)?, wanted, behind))
        });
        match reference {
            Some((provider, wanted, behind)) => {
                done.push_str(&provider.value(wanted)?);
                rest = behind;
            }
            None => {
                done.push_str("${");
                rest = after;
            }
        }
    }
    done.push_str(rest);
    Ok(done)
}

impl Provider {
    /// What stands under `NAME`, or `PATH:KEY` for files and folders.
    fn value(&self, wanted: &str) -> Result<String, String> {
        let (path, key) = match wanted.rsplit_once(':') {
            Some((path, key)) => (Path::new(path), key),
            None => (Path::new(""), wanted),
        };
        match self {
            Provider::Environment(pattern) => {
                if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(key)) {
                    return Err(format!(
                        "`allowlist.pattern` does not allow the environment variable `{key}`"
                    ));
                }
                env::var(key).map_err(|_| format!("the environment variable `{key}` is not set"))
            }
            Provider::File(allowed) => {
                let settings = text::parse(&allowed.read(path)?);
                settings
                    .get(key)
                    .cloned()
                    .ok_or_else(|| format!("{} has no `{key}`", path.display()))
            }
            Provider::Directory(allowed) => {
                if key.contains(['/', '\\']) || key == ".." {
                    return Err(format!("`{key}` is no file's name"));
                }
                let content = allowed.read(&path.join(key))?;
                Ok(content.strip_suffix('\n').unwrap_or(&content).to_owned())
            }
        }
    }
}

impl Allowed {
    fn new(paths: Option<String>) -> Self {
        let paths = paths.unwrap_or_default();
        Allowed(
            paths
                .split(',')
                .map(str::trim)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .collect(),
        )
    }

    fn read(&self, path: &Path) -> Result<String, String> {
        let place = path
            .canonicalize()
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let allowed = self.0.is_empty()
            || self.0.iter().any(|folder| {
                folder
                    .canonicalize()
                    .is_ok_and(|folder| place.starts_with(folder))
            });
        if !allowed {
            return Err(format!("`allowed.paths` does not allow {}", path.display()));
        }
        bom::read_to_string(&place).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn resolved(text: &str) -> Outcome<BTreeMap<String, String>> {
        let mut settings = text::parse(text);
        resolve(&mut settings).map(|()| settings)
    }

    #[test]
    fn secrets_come_from_files_folders_and_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kafka.properties"), "user=alice\npass=a=b}c\n").unwrap();
        fs::write(folder.path().join("secret"), "s3cret\n").unwrap();
        let here = folder.path().display();
        let settings = resolved(&format!(
            "a=<${{file:{here}/kafka.properties:user}}:${{file:{here}/kafka.properties:pass}}>\n\
             b=${{directory:{here}:secret}}\nc=${{env:CARGO_PKG_NAME}}\nd=${{nobody:x}} ${{\n\
             config.providers=vault\nconfig.providers.vault.class=org.apache.kafka.common.config.provider.FileConfigProvider\n\
             config.providers.vault.param.allowed.paths={here}\ne=${{vault:{here}/kafka.properties:user}}\n"
        ))
        .unwrap();
        let expected = [
            ("a", "<alice:a=b}c>"),
            ("b", "s3cret"),
            ("c", "velodrome"),
            ("d", "${nobody:x} ${"),
            ("e", "alice"),
        ];
        let found: Vec<_> = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_there_or_not_allowed_is_named() {
        for (text, told) in [
            (
                "a=${env:VELO_TEST_NO_SUCH_VARIABLE}",
                "VELO_TEST_NO_SUCH_VARIABLE",
            ),
            ("a=${file:/no/such/file:key}", "/no/such/file"),
            (
                "config.providers=v\nconfig.providers.v.class=com.example.Vault\na=${v:x}",
                "com.example.Vault",
            ),
            (
                "config.providers=e\nconfig.providers.e.class=x.EnvVarConfigProvider\n\
                 config.providers.e.param.allowlist.pattern=KAFKA_.*\na=${e:PATH}",
                "allowlist.pattern",
            ),
        ] {
            let failure = resolved(text).unwrap_err();
            assert!(failure.to_string().contains(told), "{failure}");
            assert_eq!(failure.kind().exit_code(), 2);
        }
    }
}
