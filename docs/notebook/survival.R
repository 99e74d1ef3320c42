# A survival curve and rates from the registry's API, with nothing but R (4.0 or newer).
#
#   REGISTRY_API=https://registry.example/api/v1 REGISTRY_TOKEN=... Rscript survival.R
#
# Run by Rscript it draws survival.png; in a session it draws on the screen. Tokens are made on the
# dashboard under "Tokens". Where the registry refuses, R says only the HTTP status: ask the same
# address with curl for its words. What the words of the columns mean: docs/methods.md.

api <- sub("/+$", "", Sys.getenv("REGISTRY_API"))
token <- Sys.getenv("REGISTRY_TOKEN")
if (api == "" || token == "") stop("Set REGISTRY_API and REGISTRY_TOKEN in the environment.")

# The rows of an answer. A hidden number is an empty cell, which is NA here and never 0; nothing else
# is, so that Namibia's code NA stays a code.
ask <- function(measure, ...) {
  question <- c(..., format = "csv")
  values <- vapply(question, URLencode, "", reserved = TRUE)
  query <- paste(names(question), values, sep = "=", collapse = "&")
  address <- paste0(api, "/statistics/", measure, "/?", query)
  connection <- url(address, headers = c(Authorization = paste("Token", token)))
  read.csv(connection, na.strings = "")
}

# A protected answer counts what it hides, and has a column for it.
is_protected <- function(rows) "hidden_cells" %in% names(rows)

# 1. Freedom from the first catheter problem, with limits and numbers at risk -------------------

curve <- ask("survival", category = "catheter")
shown <- curve[!is.na(curve$estimate), ]
if (nrow(shown) == 0) stop("No estimate of this curve is shown: ask about more devices.")

# The estimates once more, from the numbers at risk and the events of the rows. In a protected
# table an interval from n to m at risk has (n + m + d) / 2 devices exposed (docs/methods.md).
if (is_protected(curve)) {
  begun <- c(NA, head(shown$at_risk, -1))
  failed <- shown$events / ((begun + shown$at_risk + shown$events) / 2)
  failed[1] <- 0
} else {
  failed <- shown$events / shown$at_risk
}
again <- cumprod(1 - pmin(failed, 1))

if (!interactive()) png("survival.png", width = 1600, height = 1100, res = 200)
par(mar = c(7, 5, 2, 1))
plot(shown$time_months, shown$estimate,
  type = "s", lwd = 2, ylim = c(0, 1), xaxt = "n", las = 1,
  xlab = "Months since implant", ylab = "Free of a catheter problem"
)
if (is_protected(curve)) { # told at fixed months; the curve between them is not known
  points(shown$time_months, shown$estimate, pch = 19)
  segments(shown$time_months, shown$ci_lower, y1 = shown$ci_upper)
} else {
  lines(shown$time_months, shown$ci_lower, type = "s", lty = 2)
  lines(shown$time_months, shown$ci_upper, type = "s", lty = 2)
}
last <- max(shown$time_months)
axis(1, at = seq(0, last, by = if (last > 120) 24 else 12))
# Under the axis: how many were at risk in the first row of every two years.
counted <- curve[!is.na(curve$at_risk) & curve$time_months <= last, ]
counted <- counted[!duplicated(counted$time_months %/% 24), ]
mtext("At risk", side = 1, line = 4, adj = 0, cex = 0.8)
mtext(counted$at_risk, side = 1, line = 5, at = counted$time_months, cex = 0.8)
if (!interactive()) invisible(dev.off())

cat(sprintf(
  "Free of a catheter problem at %d months: %.4f (%.4f to %.4f)\n",
  last, tail(shown$estimate, 1), tail(shown$ci_lower, 1), tail(shown$ci_upper, 1)
))
cat(sprintf("Largest difference from the rows: %.1e\n", max(abs(again - shown$estimate))))

# 2. Rates, and R's own exact Poisson limits of the same counts ----------------------------------

rates <- ask("rates", group_by = "category", per = "1000")
rates <- rates[!is.na(rates$rate), ]
if (nrow(rates) == 0) stop("No rate is shown: ask about more devices.")
limits <- mapply(function(events, exposure) {
  1000 * poisson.test(events, exposure, conf.level = 0.95)$conf.int
}, rates$events, rates$exposure)
rates$r_lower <- limits[1, ]
rates$r_upper <- limits[2, ]
columns <- c("category", "events", "rate", "ci_lower", "ci_upper", "r_lower", "r_upper")
print(rates[columns], digits = 4, row.names = FALSE)
if (is_protected(rates)) {
  cat("Protected: the registry's limits allow for its perturbation and are wider than R's.\n")
} else {
  apart <- max(abs(c(rates$ci_lower - rates$r_lower, rates$ci_upper - rates$r_upper)))
  cat(sprintf("Largest difference from poisson.test: %.1e\n", apart))
}
