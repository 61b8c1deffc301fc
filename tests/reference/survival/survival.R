# Reference numbers of survival analysis, by R survival.
#   ROSSI_CSV=lifelines/datasets/rossi.csv Rscript tests/reference/survival/survival.R > tests/reference/survival/survival.json
# "made" is 120 rows by the formulas below (ties, late entry, weights, two rows a customer); "rossi" are the data of
# Rossi, Berk & Lenihan (1980) as the package lifelines has them (not committed).
suppressMessages({library(survival); library(jsonlite)})
i <- 0:119
made <- data.frame(
  id = i %/% 2, time = 1 + (7 * i * i + 3 * i) %% 19, event = as.numeric((5 * i + i %/% 7) %% 3 != 0),
  x = ((37 * i) %% 101) / 50, z = ((53 * i + 7) %% 89) / 40, group = i %% 3, weight = 1 + (i %% 4) / 2)
made$entry <- pmin(made$time - 1, (11 * i) %% 6)
zph <- function(f) as.data.frame(unclass(cox.zph(f, transform = "km", terms = FALSE)$table))
told <- function(f, robust = FALSE) list(
  slopes = unname(coef(f)), model_error = unname(if (robust) sqrt(diag(f$naive.var)) else sqrt(diag(vcov(f)))),
  robust_error = if (robust) unname(sqrt(diag(vcov(f)))) else NULL, loglik = f$loglik,
  chisq = unname(zph(f)$chisq), p = unname(zph(f)$p))
curve <- function(f, times) {s <- summary(f, times = times)
  list(time = s$time, n = s$n.risk, survival = s$surv, std_error = s$std.err, low = s$lower, high = s$upper)}
medians <- function(f) unname(summary(f)$table[c("median", "0.95LCL", "0.95UCL")])
km <- function(f, times) c(curve(f, times), list(median = medians(f)))
rows <- function(d) {d$time <- ceiling(d$time)
  k <- rep(seq_len(nrow(d)), d$time); p <- sequence(d$time)
  cbind(d[k, ], period = p, y = as.numeric(p == d$time[k] & d$event[k] == 1))}
periods <- function(d, right, link) {f <- glm(as.formula(paste("y ~", right)), binomial(link), rows(d),
    control = glm.control(epsilon = 1e-14, maxit = 100))
  list(rows = nrow(rows(d)), events = sum(rows(d)$y), slopes = as.list(coef(f)), model_error = as.list(sqrt(diag(vcov(f)))),
       loglik = as.numeric(logLik(f)))}
r <- read.csv(Sys.getenv("ROSSI_CSV"))
rossi <- data.frame(r, time = r$week, event = r$arrest)
every <- week ~ fin + age + race + wexp + mar + paro + prio
out <- list(
  software = paste0("survival ", packageVersion("survival"), " (", R.version.string, ")"),
  command = "ROSSI_CSV=lifelines/datasets/rossi.csv Rscript tests/reference/survival/survival.R",
  data = list(rossi = list(file = "lifelines 0.30.3, datasets/rossi.csv", sha256 = strsplit(system2("sha256sum",
    Sys.getenv("ROSSI_CSV"), stdout = TRUE), " ")[[1]][1]), made = "by the formulas of survival.R"),
  tolerance = 1e-8, why = "full-precision files of converged fits; printed values of G15: half the last digit",
  made = list(
    plain = told(coxph(Surv(time, event) ~ x + z, made, ties = "efron")),
    late = told(coxph(Surv(entry, time, event) ~ x + z, made, ties = "efron")),
    weighted = told(coxph(Surv(entry, time, event) ~ x + z, made, ties = "efron", weights = weight, cluster = seq_len(120)), TRUE),
    clustered = told(coxph(Surv(entry, time, event) ~ x + z, made, ties = "efron", weights = weight, cluster = id), TRUE),
    robust_score = unname(summary(coxph(Surv(time, event) ~ factor(group), made, ties = "efron", cluster = id))$robscore[1]),
    km = km(survfit(Surv(time, event) ~ 1, made, conf.type = "log-log"), c(3, 7, 12, 18)),
    km_late = km(survfit(Surv(entry, time, event) ~ 1, made, conf.type = "log-log"), c(3, 7, 12, 18)),
    km_weighted = km(survfit(Surv(entry, time, event) ~ 1, made, weights = weight, cluster = id, conf.type = "log-log"), c(3, 7, 12, 18)),
    log_rank = unname(survdiff(Surv(time, event) ~ group, made)$chisq),
    cloglog = periods(made, "x + z + period", "cloglog"), logit = periods(made, "x + z + period", "logit")),
  rossi = list(
    cox = told(coxph(update(every, Surv(week, arrest) ~ .), r, ties = "efron")),
    km_no_aid = km(survfit(Surv(week, arrest) ~ 1, r[r$fin == 0, ], conf.type = "log-log"), c(10, 26, 52)),
    km_aid = km(survfit(Surv(week, arrest) ~ 1, r[r$fin == 1, ], conf.type = "log-log"), c(10, 26, 52)),
    log_rank = unname(survdiff(Surv(week, arrest) ~ fin, r)$chisq),
    logit = periods(rossi, "fin + age + prio + period", "logit"),
    cloglog = periods(rossi, "fin + age + prio + period", "cloglog")))
cat(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, null = "null"), "\n")
