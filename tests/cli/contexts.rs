//! `velo context`

use crate::support::velo::Home;

#[test]
fn a_remembered_cluster_is_used_until_an_option_says_otherwise() {
    let home = Home::new();
    home.velo(&["context", "add", "here", "--bootstrap-server", "127.0.0.1:1"])
        .succeeds();
    home.velo(&["context", "add", "there", "--bootstrap-server", "127.0.0.1:2"])
        .succeeds();
    assert_eq!(
        home.velo(&["context", "list"]).succeeds().stdout,
        "* here  127.0.0.1:1\n  there  127.0.0.1:2\n"
    );
    let said = home.velo(&["topic", "list"]).fails_with(3);
    assert!(
        said.stderr
            .starts_with("error: no broker answers on 127.0.0.1:1\n"),
        "{}",
        said.stderr
    );
    home.velo(&["context", "use", "there"]).succeeds();
    let said = home.velo(&["topic", "list"]).fails_with(3);
    assert!(said.stderr.contains("127.0.0.1:2"), "{}", said.stderr);
    let said = home
        .velo(&["topic", "list", "--bootstrap-server", "127.0.0.1:3"])
        .fails_with(3);
    assert!(said.stderr.contains("127.0.0.1:3"), "{}", said.stderr);
    home.velo(&["context", "remove", "there"]).succeeds();
    assert_eq!(
        home.velo(&["context", "list"]).succeeds().stdout,
        "  here  127.0.0.1:1\n"
    );
}

#[test]
fn an_unknown_context_is_named_with_the_way_to_add_it() {
    let home = Home::new();
    let said = home.velo(&["context", "use", "nowhere"]).fails_with(1);
    assert_eq!(
        said.stderr,
        "error: there is no context `nowhere`\nhint: velo context list\n\
         hint: velo context add nowhere --bootstrap-server HOST:PORT\n"
    );
}
