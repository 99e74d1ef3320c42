# What R makes of the data in a folder: `Rscript against_r.R FOLDER`. Run by test_against_r.py.
suppressPackageStartupMessages(library(survival))
folder <- commandArgs(trailingOnly = TRUE)[1]
given <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
told <- function(frame, name) {
  write.csv(format(frame, digits = 17), file.path(folder, paste0("r-", name, ".csv")),
    row.names = FALSE, quote = FALSE
  )
}
per_group <- function(data, by, does) do.call(rbind, lapply(split(data, by), does))

# Devices followed from implantation are at risk in month 0 too; R wants a start before the end.
devices <- given("devices")
devices$start <- ifelse(devices$entry == 0, -1, devices$entry)
devices <- devices[devices$start < devices$end, ]

told(per_group(devices, devices$cohort, function(one) {
  do.call(rbind, lapply(c("log-log", "log", "plain"), function(scale) {
    fit <- survfit(Surv(start, end, cause == 1) ~ 1, data = one, conf.type = scale)
    frame <- data.frame(
      cohort = one$cohort[1], scale = scale, time = fit$time, at_risk = fit$n.risk,
      estimate = fit$surv, lower = fit$lower, upper = fit$upper
    )
    frame[fit$n.event > 0, ]
  }))
}), "survival")

told(per_group(devices, devices$cohort, function(one) {
  one$what <- factor(one$cause, 0:2, c("censored", "event", "death"))
  fit <- survfit(
    Surv(start, end, what) ~ 1, data = one, id = seq_len(nrow(one)), conf.type = "log-log"
  )
  of <- match(c("event", "death"), fit$states)
  frame <- data.frame(
    cohort = one$cohort[1], time = fit$time, event = fit$pstate[, of[1]],
    death = fit$pstate[, of[2]], se = fit$std.err[, of[1]],
    lower = fit$lower[, of[1]], upper = fit$upper[, of[1]], at_risk = fit$n.risk[, 1]
  )
  frame[rowSums(fit$n.event[, of]) > 0, ]
}), "incidence")

# The same curves robust to patients, each of whom has several devices. With states survfit takes no
# notice of `cluster` (survival 3.5): its devices' influences are added up by patient here.
told(per_group(devices, devices$cohort, function(one) {
  one$row <- seq_len(nrow(one))
  one$what <- factor(one$cause, 0:2, c("censored", "event", "death"))
  free <- survfit(
    Surv(start, end, cause == 1) ~ 1, data = one, id = row, cluster = patient, robust = TRUE
  )
  had <- survfit(Surv(start, end, what) ~ 1, data = one, id = row, influence = TRUE)
  moved <- had$influence.pstate[, , match("event", had$states)]
  moved <- moved[, seq_along(had$time) + ncol(moved) - length(had$time)]
  frame <- data.frame(
    cohort = one$cohort[1], time = free$time, estimate = free$surv, free_se = free$std.err,
    had_se = sqrt(colSums(rowsum(moved, one$patient)^2))[match(free$time, had$time)]
  )
  frame[free$n.event > 0, ]
}), "patients")

# Delays that are seen only up to a time: in reverse time they enter late.
told(per_group(given("delays"), given("delays")$registry, function(one) {
  one <- one[rep(seq_len(nrow(one)), one$n), ]
  longest <- one$longest[1]
  fit <- survfit(
    Surv(longest - watched - 0.5, longest - months, rep(TRUE, nrow(one))) ~ 1, data = one,
    conf.type = "log-log"
  )
  data.frame(
    registry = one$registry[1], months = longest - fit$time, later = fit$surv,
    lower = fit$lower, upper = fit$upper
  )
}), "delays")

# survdiff takes nobody who entered late.
told(per_group(devices, devices$cohort, function(one) {
  test <- survdiff(Surv(end, cause == 1) ~ group, data = one[one$entry == 0, ])
  data.frame(cohort = one$cohort[1], chi2 = test$chisq)
}), "logrank")

told(per_group(devices, devices$cohort, function(one) {
  data <- one[one$entry == 0, ]
  test <- survdiff(Surv(end, cause == 1) ~ group + strata(stratum), data = data)
  fit <- summary(survfit(Surv(end, cause == 1) ~ 1, data = data, conf.type = "log-log"), rmean = 36)
  data.frame(
    cohort = one$cohort[1], stratified = test$chisq, mean = fit$table["rmean"],
    se = fit$table["se(rmean)"], median = fit$table["median"],
    median_lower = fit$table["0.95LCL"], median_upper = fit$table["0.95UCL"]
  )
}), "landmarks")

if (requireNamespace("cmprsk", quietly = TRUE)) {
  told(per_group(devices, devices$cohort, function(one) {
    data <- one[one$entry == 0, ]
    test <- cmprsk::cuminc(data$end, data$cause, data$triple)$Tests
    data.frame(cohort = one$cohort[1], chi2 = test["1", "stat"], df = test["1", "df"])
  }), "gray")

  told(per_group(devices, devices$cohort, function(one) {
    data <- one[one$entry == 0, ]
    times <- c(6, 12, 24, 36)
    found <- cmprsk::timepoints(cmprsk::cuminc(data$end, data$cause), times)
    data.frame(
      cohort = one$cohort[1], time = times, event = found$est["1 1", ], se = sqrt(found$var["1 1", ])
    )
  }), "cuminc")
}

counts <- given("counts")
told(do.call(rbind, Map(function(events, exposure, n) {
  poisson <- poisson.test(events, exposure)$conf.int
  wilson <- suppressWarnings(prop.test(events, n, correct = FALSE))$conf.int
  exact <- binom.test(events, n)$conf.int
  data.frame(
    poisson_lower = poisson[1], poisson_upper = poisson[2], wilson_lower = wilson[1],
    wilson_upper = wilson[2], exact_lower = exact[1], exact_upper = exact[2]
  )
}, counts$events, counts$exposure, counts$n)), "counts")

strata <- given("strata")
told(per_group(strata, strata$row, function(one) {
  weight <- one$standard / sum(one$standard)
  rate <- sum(weight * one$events / one$exposure)
  variance <- sum(weight^2 * one$events / one$exposure^2)
  most <- max(weight / one$exposure)
  data.frame(
    row = one$row[1], rate = rate,
    lower = qgamma(0.025, shape = rate^2 / variance, scale = variance / rate),
    upper = qgamma(0.975,
      shape = (rate + most)^2 / (variance + most^2), scale = (variance + most^2) / (rate + most)
    )
  )
}), "standardised")

years <- given("years")
told(per_group(years, years$series, function(one) {
  fit <- glm(events ~ year + offset(log(exposure)), quasipoisson, one, epsilon = 1e-12)
  row <- summary(fit)$coefficients["year", ]
  half <- qt(0.975, fit$df.residual) * row["Std. Error"]
  data.frame(
    series = one$series[1], ratio = exp(row["Estimate"]), lower = exp(row["Estimate"] - half),
    upper = exp(row["Estimate"] + half), p = row["Pr(>|t|)"],
    dispersion = summary(fit)$dispersion
  )
}), "trend")

tables <- given("tables")
told(do.call(rbind, Map(function(a, b, c, d) {
  test <- suppressWarnings(chisq.test(matrix(c(a, b, c, d), 2), correct = TRUE))
  data.frame(chi2 = unname(test$statistic))
}, tables$a, tables$b, tables$c, tables$d)), "tables")

told(per_group(given("ages"), given("ages")$series, function(one) {
  fit <- glm(events ~ year + factor(age) + factor(model) + offset(log(exposure)), poisson, one, epsilon = 1e-14)
  x <- model.matrix(fit)
  bread <- solve(crossprod(x, fitted(fit) * x))
  by_year <- rowsum(cbind(one$events, fitted(fit)), one$year)
  df <- nrow(by_year) - 2
  phi <- max(1, sum((by_year[, 1] - by_year[, 2])^2 / by_year[, 2]) / df)
  half <- qt(0.975, df) * sqrt(phi * bread["year", "year"])
  slope <- coef(fit)["year"]
  data.frame(
    series = one$series[1], ratio = exp(slope), lower = exp(slope - half), upper = exp(slope + half)
  )
}), "ages")

# Clusters' scores summed by hand: the package sandwich is not needed.
compared <- function(one) {
  both <- aggregate(cbind(events, exposure) ~ group + stratum, one, sum)
  both$group <- factor(both$group)
  both$stratum <- factor(both$stratum)
  fit <- glm(events ~ group + stratum + offset(log(exposure)), poisson, both, epsilon = 1e-14)
  x <- model.matrix(fit)
  key <- paste(both$group, both$stratum)
  rate <- fitted(fit) / both$exposure
  at <- match(paste(one$group, one$stratum), key)
  scores <- rowsum(x[at, ] * (one$events - rate[at] * one$exposure), one$cluster)
  n <- nrow(scores)
  bread <- solve(crossprod(x, fitted(fit) * x)) # vcov has the weights of the step before
  robust <- bread %*% crossprod(scores) %*% bread * n / (n - 1)
  of <- grep("^group", colnames(x))
  beta <- coef(fit)[of]
  se <- sqrt(diag(robust))[of]
  wald <- drop(beta %*% solve(robust[of, of]) %*% beta)
  data.frame(
    table = one$table[1], group = seq_along(of), ratio = exp(beta),
    poisson_se = sqrt(diag(bread))[of], lower = exp(beta - qnorm(0.975) * se),
    upper = exp(beta + qnorm(0.975) * se), wald = wald,
    p = pchisq(wald, length(of), lower.tail = FALSE)
  )
}
told(per_group(given("cells"), given("cells")$table, compared), "cells")

# Each group as an indicator against the rest, a fit for each.
told(per_group(given("cells"), given("cells")$table, function(one) {
  do.call(rbind, lapply(sort(unique(one$group)), function(which) {
    halves <- one
    halves$group <- as.integer(one$group == which)
    compared(halves)
  }))
}), "others")
