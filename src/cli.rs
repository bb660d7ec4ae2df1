//! The command line: its tree, its global options, and the way from arguments to an exit code.

use crate::commands::{self, Context};
use crate::failure::{Failure, Kind, Outcome};
use crate::scripts;
use crate::ui::output::complain;
use crate::ui::{Interrupt, OutputChoice};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Learn Kafka, run Kafka, use Kafka: one binary
#[derive(Debug, Parser)]
#[command(
    name = "velo",
    version,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Brokers to ask first [default: the current context, else the cluster of this machine that runs, else localhost:9092]
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT,…",
        env = "VELO_BOOTSTRAP_SERVER"
    )]
    pub bootstrap_server: Option<String>,
    /// Connection settings, by Java or librdkafka property names
    #[arg(long, global = true, value_name = "FILE", env = "VELO_COMMAND_CONFIG")]
    pub command_config: Option<PathBuf>,
    /// How to print data
    #[arg(long, global = true, value_name = "FORMAT", value_parser = OutputChoice::of_results())]
    pub output: Option<OutputChoice>,
    /// Language of the course [default: from the locale]
    #[arg(long, global = true, value_name = "LANG", value_enum)]
    pub lang: Option<crate::i18n::Lang>,
    /// Say more on stderr; twice for librdkafka's own log
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start, stop and look at the classroom cluster of this machine
    #[command(subcommand)]
    Cluster(commands::cluster::ClusterCommand),
    /// Create, list, describe, alter and delete topics
    #[command(subcommand)]
    Topic(commands::topic::TopicCommand),
    /// List, describe, reset and delete consumer groups
    #[command(subcommand)]
    Group(commands::group::GroupCommand),
    /// Settings of topics, brokers and groups
    #[command(subcommand)]
    Config(commands::config::ConfigCommand),
    /// Where each partition of a topic begins and ends
    Offsets(commands::offsets::OffsetsArgs),
    /// Delete old records
    #[command(subcommand)]
    Records(commands::records::RecordsCommand),
    /// Write lines as records to a topic
    Produce(commands::produce::ProduceCommand),
    /// Read records of topics
    Consume(commands::consume::ConsumeCommand),
    /// City bikes: produce the stations, monitor them, serve them over HTTP
    #[command(subcommand)]
    Velib(commands::velib::VelibCommand),
    /// Made-up people, and the way into MongoDB
    #[command(subcommand)]
    People(commands::people::PeopleCommand),
    /// Topics into MongoDB
    #[command(subcommand)]
    Mongo(commands::mongo::MongoCommand),
    /// Take the course's lessons, or watch them play
    Lesson(commands::lesson::LessonArgs),
    /// Answer the lessons' questions
    Quiz(commands::quiz::QuizArgs),
    /// Remember clusters by name
    #[command(subcommand)]
    Context(commands::contexts::ContextCommand),
    /// Use Kafka's own script names
    #[command(subcommand)]
    Scripts(commands::scripts::ScriptsCommand),
    /// Look for what is odd on this machine and on the cluster
    Doctor,
    /// Print what a shell needs to complete `velo`
    Completions(commands::completions::CompletionsArgs),
}

impl Command {
    fn run(self, context: &Context) -> Outcome {
        match self {
            Command::Cluster(command) => command.run(context),
            Command::Completions(args) => commands::completions::run(&args, context),
            Command::Consume(command) => command.run(context),
            Command::Context(command) => command.run(context),
            Command::Scripts(command) => command.run(context),
            Command::Doctor => commands::doctor::run(context),
            Command::Lesson(args) => args.run(context),
            Command::Quiz(args) => commands::quiz::run(&args, context),
            Command::People(command) => command.run(context),
            Command::Produce(command) => command.run(context),
            Command::Topic(command) => command.run(context),
            Command::Group(command) => command.run(context),
            Command::Config(command) => command.run(context),
            Command::Offsets(args) => commands::offsets::run(&args, context),
            Command::Records(command) => command.run(context),
            Command::Mongo(command) => command.run(context),
            Command::Velib(command) => command.run(context),
        }
    }
}

/// Runs one command line, `arguments[0]` being the program's name.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    crate::panics::explain();
    if let Some(code) = run_script(&arguments) {
        return ExitCode::from(code);
    }
    commands::completions::answer();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and version to stdout, mistakes to stderr; a closed pipe is no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.exit_code()));
        }
    };
    crate::ui::log::start(cli.global.verbose);
    let command = cli.command;
    let outcome = Context::new(cli.global)
        .and_then(|context| command.run(&context).map_err(|failure| context.advise(failure)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

/// The script face: the program is called by a script's name, or the first word is one. Its exit code, if so.
fn run_script(arguments: &[OsString]) -> Option<u8> {
    let program = Path::new(arguments.first()?).file_name()?.to_str()?;
    let words: Vec<String> = arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    scripts::run_named(program, &words).or_else(|| {
        let (first, rest) = words.split_first()?;
        scripts::run_named(first, rest)
    })
}

fn report(failure: &Failure) -> ExitCode {
    if failure.kind() == Kind::Interrupted {
        return ExitCode::from(Interrupt::exit_code());
    }
    complain(failure);
    ExitCode::from(failure.kind().exit_code())
}
