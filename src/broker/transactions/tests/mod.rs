mod bench;
mod ending;
mod initialising;
mod reloading;
mod timing;
