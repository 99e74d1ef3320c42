# Reads every CSV file of a folder as docs/dashboards.md says, and writes down what R found: for each
# column its class and its values, numbers with 17 digits.

folder <- commandArgs(trailingOnly = TRUE)[1]
for (path in list.files(folder, pattern = "[.]csv$", full.names = TRUE)) {
  rows <- read.csv(path, na.strings = "")
  found <- lapply(rows, function(column) {
    text <- if (is.numeric(column)) sprintf("%.17g", column) else as.character(column)
    text[is.na(column)] <- ""
    c(class(column), text)
  })
  lines <- vapply(found, paste, "", collapse = "\t")
  writeLines(paste(names(rows), lines, sep = "\t"), sub("[.]csv$", ".found", path))
}
