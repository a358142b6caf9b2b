"""Statistical requests in the words of people, each with its spec in one line.

`1000 | age int normal(35, 12) clip[18, 100]` has the count, then the columns. Relations would follow.
"""

from sandbox.spec import Distribution, Field, Spec

PARAPHRASES = [
    # a single normal column
    ("Generate 1000 user records where ages follow a normal distribution with mean 35 and standard deviation 12, clipped to 18–100", "1000 | age int normal(35, 12) clip[18, 100]"),
    ("1000 ages from a normal distribution, mean 35, sd 12", "1000 | age int normal(35, 12)"),
    ("Draw 500 samples from N(0, 1)", "500 | value normal(0, 1)"),
    ("Please simulate 250 IQ scores, normally distributed with a mean of 100 and a standard deviation of 15.", "250 | iq_score normal(100, 15)"),
    ("give me 40 normally distributed heights with mean 170 and std 8", "40 | height normal(170, 8)"),
    ("I need 2,000 random numbers from a Gaussian with μ = 5 and σ = 2", "2000 | value normal(5, 2)"),
    ("Create a sample of 300 from a standard normal distribution", "300 | value normal(0, 1)"),
    ("Sample 10k points from a normal distribution centered at 50 with standard deviation 5", "10000 | value normal(50, 5)"),
    ("Generate five hundred test scores following a bell curve around 70 with sd of 10", "500 | test_score normal(70, 10)"),
    ("Can you generate 100 normally distributed values (mean=10, std=2)?", "100 | value normal(10, 2)"),
    ("Produce a dataset of 800 weights ~ N(70, 15)", "800 | weight normal(70, 15)"),
    ("simulate n=1500 draws from normal(mean=3, sd=0.5)", "1500 | value normal(3, 0.5)"),
    ("Generate 600 body temperatures with a mean of 36.8 and variance 0.16, normally distributed", "600 | body_temperature normal(36.8, 0.4)"),
    ("Make a list of 120 reaction times in ms that are normally distributed around 250 with a standard deviation of 30", "120 | reaction_time normal(250, 30)"),
    ("Generate 90 measurements of 12.5 ± 0.3, normal", "90 | value normal(12.5, 0.3)"),
    ("Could you please create 1,000 synthetic salaries that are normally distributed with mean $65,000 and standard deviation $12,000?", "1000 | salary normal(65000, 12000)"),
    ("Generate a thousand values from a normal distribution with mean and standard deviation of 20 and 4", "1000 | value normal(20, 4)"),
    ("Normal distribution, mean 0, sd 3: draw 77 values", "77 | value normal(0, 3)"),
    ("sample size 400, gaussian, average 15, stdev 3, generate values", "400 | value normal(15, 3)"),
    ("I want 50 people whose height is normally distributed with mean 175 cm and SD 7 cm", "50 | height normal(175, 7)"),
    # bounds, integers, decimals, uniqueness, seed, format
    ("Generate 500 ages, normal with mean 40 and sd 15, truncated to [0, 100]", "500 | age int normal(40, 15) cut[0, 100]"),
    ("Generate 500 values normally distributed with mean 50, sd 10, between 20 and 80", "500 | value normal(50, 10) cut[20, 80]"),
    ("200 scores normally distributed, mean 75, sd 10, capped at 100", "200 | score normal(75, 10) clip[-, 100]"),
    ("Create 300 prices from a normal distribution with mean 20 and sd 5, at least 1, rounded to 2 decimals", "300 | price .2 normal(20, 5) cut[1, -]"),
    ("Generate 150 non-negative values from a normal distribution with mean 2 and standard deviation 1", "150 | value normal(2, 1) cut[0, -]"),
    ("Generate 250 integers uniformly between 1 and 6, seed 42, as CSV", "250 csv seed=42 | value int uniform(1, 6)"),
    ("Draw 30 values from a normal distribution with mean 100 and sd 15, rounded to the nearest integer", "30 | value int normal(100, 15)"),
    ("Generate 1000 ages (mean 35, sd 12, normal). Clip ages to 18-90.", "1000 | age int normal(35, 12) clip[18, 90]"),
    ("Generate 100 salaries normally distributed with mean 50000 and sd 8000. Round salaries to 2 decimals. Use seed 7.", "100 seed=7 | salary .2 normal(50000, 8000)"),
    ("Give me 60 unique integers uniformly distributed between 1 and 1000", "60 | value int uniform(1, 1000) unique"),
    ("Generate 1000 ages with mean 35 and standard deviation 12 from a normal distribution and output CSV", "1000 csv | age int normal(35, 12)"),
    ("simulate 500 test scores ~ N(72, 11) restricted to 0-100, with 1 decimal place", "500 | test_score .1 normal(72, 11) cut[0, 100]"),
    ("Generate 200 normally distributed ages, mean 45, sd 10, min 18, max 90", "200 | age int normal(45, 10) cut[18, 90]"),
    # other families
    ("Generate 1000 log-normally distributed incomes with median 50000 and sigma 0.5", "1000 | income lognormal(10.82, 0.5)"),
    ("Sample 500 values from a lognormal distribution with mu=3 and sigma=0.8", "500 | value lognormal(3, 0.8)"),
    ("Draw 200 lognormal(2, 0.5) values", "200 | value lognormal(2, 0.5)"),
    ("Generate 700 house prices that are lognormally distributed with mean 300000 and standard deviation 100000", "700 | house_price lognormal(12.56, 0.3246)"),
    ("Simulate 10k exponential waiting times with rate 0.5", "10000 | waiting_time exponential(2)"),
    ("Generate 400 exponentially distributed service times with mean 12", "400 | service_time exponential(12)"),
    ("1000 interarrival times, exponential with lambda = 4", "1000 | interarrival_time exponential(0.25)"),
    ("Sample 100 times from an exponential distribution with a scale of 3", "100 | value exponential(3)"),
    ("Generate 365 daily accident counts from a Poisson distribution with lambda 2.5", "365 | daily_accident_count int poisson(2.5)"),
    ("Poisson counts with rate 4, 200 of them", "200 | count int poisson(4)"),
    ("Create 150 Poisson distributed call counts averaging 7", "150 | call_count int poisson(7)"),
    ("simulate 1000 flips counts: binomial with n=10 and p=0.5", "1000 | flips_count int binomial(10, 0.5)"),
    ("Draw 500 values from Binomial(20, 0.3)", "500 | value int binomial(20, 0.3)"),
    ("Generate 100 binomially distributed success counts with 12 trials and success probability 0.25", "100 | success_count int binomial(12, 0.25)"),
    ("Generate 300 values from a beta distribution with alpha=2 and beta=5", "300 | value beta(2, 5)"),
    ("Sample 50 conversion rates from Beta(2, 8)", "50 | conversion_rate beta(2, 8)"),
    ("Generate 400 values from a gamma distribution with shape 2 and scale 3", "400 | value gamma(2, 3)"),
    ("Simulate 250 claim sizes that follow a gamma distribution with shape 3 and rate 0.5", "250 | claim_size gamma(3, 2)"),
    ("Generate 500 Pareto distributed wealth values with alpha 2.5 and minimum 1000", "500 | wealth pareto(2.5, 1000)"),
    ("Create 200 lifetimes following a Weibull distribution with shape 1.5 and scale 1000", "200 | lifetime weibull(1.5, 1000)"),
    ("Draw 80 Weibull(2, 10) failure times", "80 | failure_time weibull(2, 10)"),
    ("Generate 1000 uniform random numbers between 0 and 1", "1000 | value uniform(0, 1)"),
    ("Create 50 uniformly distributed temperatures from -10 to 35", "50 | temperature uniform(-10, 35)"),
    ("Sample 500 points uniformly from [2, 8]", "500 | value uniform(2, 8)"),
    ("Simulate rolling a die: 600 integers uniform from 1 to 6", "600 | die int uniform(1, 6)"),
    ("Generate 100 coin flips with probability 0.6", "100 | coin_flip int binomial(1, 0.6)"),
    ("Give me 1k draws from U(5, 15)", "1000 | value uniform(5, 15)"),
    # mixtures
    ("Sample 50 values from a bimodal distribution with peaks at 20 and 60 and standard deviation 5", "50 | value mix(0.5 normal(20, 5), 0.5 normal(60, 5))"),
    ("Generate 1000 ages from a bimodal distribution with modes at 25 and 60, each with sd 5", "1000 | age int mix(0.5 normal(25, 5), 0.5 normal(60, 5))"),
    ("Generate 500 values from a mixture of 70% N(20, 3) and 30% N(50, 5)", "500 | value mix(0.7 normal(20, 3), 0.3 normal(50, 5))"),
    ("Create 400 bimodal test scores: one peak at 55 (sd 6), another at 85 (sd 4)", "400 | test_score mix(0.5 normal(55, 6), 0.5 normal(85, 4))"),
    ("Simulate 800 commute times as a mixture of two normals with means 20 and 45, standard deviations 5 and 8, weights 0.6 and 0.4", "800 | commute_time mix(0.6 normal(20, 5), 0.4 normal(45, 8))"),
    ("Generate 300 heights from a bimodal distribution with means 165 and 180 and sds 6 and 7, 50/50", "300 | height mix(0.5 normal(165, 6), 0.5 normal(180, 7))"),
    # categories and booleans
    ("Make 400 users with plan free (60%), pro (30%) and enterprise (10%), churned true with probability 0.2", "400 | plan cat(free 0.6, pro 0.3, enterprise 0.1); churned bool(0.2)"),
    ("Generate 1000 customers with region: North 40%, South 30%, East 20%, West 10%", "1000 | region cat(North 0.4, South 0.3, East 0.2, West 0.1)"),
    ("Create 200 employees where 60% are male and 40% are female, with age normally distributed with mean 42 and sd 9", "200 | gender cat(male 0.6, female 0.4); age int normal(42, 9)"),
    ("Generate 500 orders with status chosen from pending, shipped, delivered with probabilities 0.2, 0.3, 0.5", "500 | status cat(pending 0.2, shipped 0.3, delivered 0.5)"),
    ("Generate 300 records with industry shares: Technology 35%, Finance 25%, Healthcare 20%, Manufacturing 20%", "300 | industry cat(Technology 0.35, Finance 0.25, Healthcare 0.2, Manufacturing 0.2)"),
    ("Simulate 100 patients with blood type O 45%, A 40%, B 11%, AB 4%", "100 | blood_type cat(O 0.45, A 0.4, B 0.11, AB 0.04)"),
    ("Generate 250 survey responses with satisfaction low (20%), medium (50%), high (30%)", "250 | satisfaction cat(low 0.2, medium 0.5, high 0.3)"),
    ("Create 1000 users: gender split 50/50 male/female, age uniform between 18 and 65", "1000 | gender cat(male 0.5, female 0.5); age int uniform(18, 65)"),
    ("Generate 500 customers, segment is retail (70%) or business (30%), and spend exponential with mean 120", "500 | segment cat(retail 0.7, business 0.3); spend exponential(120)"),
    ("Generate 100 rows with color chosen from red, green, blue with weights 0.5, 0.3, 0.2", "100 | color cat(red 0.5, green 0.3, blue 0.2)"),
    ("Generate 600 users with subscribed true 35% of the time and visits Poisson with mean 4", "600 | subscribed bool(0.35); visit int poisson(4)"),
    # several columns
    ("Give me 200 customers with id, name, email, age (normal, mean 40, sd 10, 18-90) and income (lognormal, median 50000, sigma 0.5)", "200 | id id; name text; email text; age int normal(40, 10) cut[18, 90]; income lognormal(10.82, 0.5)"),
    ("Generate 300 records with x uniform between 0 and 10, y = 2 * x + 1", "300 | x uniform(0, 10); y = 2 * x + 1"),
    ("Generate 100 orders with quantity Poisson with mean 3, unit price uniformly distributed between 5 and 50 rounded to 2 decimals, and total = quantity * unit_price", "100 | quantity int poisson(3); unit_price .2 uniform(5, 50); total = quantity * unit_price"),
    ("Create a table of 500 students with gpa normally distributed (mean 3.0, sd 0.4, between 0 and 4) and study hours gamma with shape 4 and scale 2", "500 | gpa normal(3, 0.4) cut[0, 4]; study_hour gamma(4, 2)"),
    ("Generate 1000 rows: age ~ N(38, 11), income ~ LogNormal(10.5, 0.6), children ~ Poisson(1.8)", "1000 | age int normal(38, 11); income lognormal(10.5, 0.6); child int poisson(1.8)"),
    ("Generate 100 employees:\n- age: normal, mean 41, sd 8\n- salary: lognormal, median 60000, sigma 0.4\n- tenure: exponential with mean 5", "100 | age int normal(41, 8); salary lognormal(11, 0.4); tenure exponential(5)"),
    ("Create 250 products with price uniformly distributed from 10 to 200 and rating normally distributed with mean 4 and sd 0.5, limited to 1-5", "250 | price uniform(10, 200); rating normal(4, 0.5) cut[1, 5]"),
    ("Simulate 400 visitors with session length exponential with mean 180, pages viewed Poisson with lambda 5", "400 | session_length exponential(180); pages_viewed int poisson(5)"),
    ("Generate 50 sensors with temperature normally distributed mean 20 sd 2, humidity uniform between 30 and 70, and pressure normal with mean 1013 and sd 5", "50 | temperature normal(20, 2); humidity uniform(30, 70); pressure normal(1013, 5)"),
    ("I need 120 rows with columns a, b where a is uniform between 1 and 5 and b is exponential with rate 2", "120 | a uniform(1, 5); b exponential(0.5)"),
    ("Generate 75 users with user_id, full name, age normally distributed with mean 30 and sd 5", "75 | user_id id; full_name text; age int normal(30, 5)"),
    ("Create 30 invoices with amount lognormal with mu 5 and sigma 1, tax = amount * 0.2", "30 | amount lognormal(5, 1); tax = amount * 0.2"),
    ("Generate 500 transactions with amount (exponential, mean 80) and date between 2023-01-01 and 2023-12-31", "500 | amount exponential(80); date 2023-01-01..2023-12-31"),
    ("Generate 100 people with signup date in 2024 and age normally distributed with mean 33 and standard deviation 6", "100 | signup_date 2024-01-01..2024-12-31; age int normal(33, 6)"),
    ("Generate 40 rows with revenue normal mean 1000 sd 100, cost normal mean 700 sd 50 and profit = revenue - cost", "40 | revenue normal(1000, 100); cost normal(700, 50); profit = revenue - cost"),
    ("Create 200 rows with width uniform between 1 and 3 and length uniform between 2 and 6; area is width times length", "200 | width uniform(1, 3); length uniform(2, 6); area = width * length"),
    ("Generate 90 records with score between 0 and 100 uniformly distributed integers and passed true with probability 0.7", "90 | score int uniform(0, 100); passed bool(0.7)"),
    ("Generate 1,000 transactions. Amounts follow a log-normal distribution with mu 4 and sigma 1. Payment method is card 60%, cash 25%, transfer 15%.", "1000 | amount lognormal(4, 1); payment_method cat(card 0.6, cash 0.25, transfer 0.15)"),
    ("Create 500 patients: age normal(55, 12), systolic blood pressure normal(130, 15), smoker true with probability 0.3", "500 | age int normal(55, 12); systolic_blood_pressure normal(130, 15); smoker bool(0.3)"),
    # correlations
    ("I need a thousand height and weight pairs: heights are normally distributed with mean 170 and sd 10, weights normally distributed with mean 70 and sd 15, and height and weight are correlated at 0.7", "1000 | height normal(170, 10); weight normal(70, 15) | height~weight r = 0.7"),
    ("Generate 500 records with x ~ N(0,1) and y ~ N(0,1), with a correlation of 0.8 between x and y", "500 | x normal(0, 1); y normal(0, 1) | x~y r = 0.8"),
    ("Generate 300 students: study hours normal with mean 10 and sd 3, exam score normal with mean 70 and sd 10; exam score correlates with study hours with r = 0.6", "300 | study_hour normal(10, 3); exam_score normal(70, 10) | exam_score~study_hour r = 0.6"),
    ("Create 1000 rows where income is lognormal with median 40000 and sigma 0.4, spending is lognormal with median 20000 and sigma 0.4, and the correlation between income and spending is 0.75", "1000 | income lognormal(10.6, 0.4); spending lognormal(9.903, 0.4) | income~spending r = 0.75"),
    ("Create a dataset of 500 enterprise customers: annual revenue is log-normally distributed with median $10M and sigma 1.2, company size correlates with revenue with R² > 0.8, and industry is Technology 35%, Finance 25%, Healthcare 20%, Manufacturing 20%.", "500 | annual_revenue lognormal(16.12, 1.2); industry cat(Technology 0.35, Finance 0.25, Healthcare 0.2, Manufacturing 0.2); company_size int follows [1, -] | company_size~annual_revenue r2 > 0.8"),
    ("Generate 200 records where a ~ N(0, 1) and b ~ N(0, 1), negatively correlated: correlation between a and b of -0.5", "200 | a normal(0, 1); b normal(0, 1) | a~b r = -0.5"),
    ("Simulate 400 pairs: x is standard normal, y is standard normal, corr(x, y) = 0.9", "400 | x normal(0, 1); y normal(0, 1) | x~y r = 0.9"),
    ("Generate 250 houses with size normal mean 120 sd 30 and price normal mean 300000 sd 60000, with R2 above 0.7 between size and price", "250 | size normal(120, 30); price normal(300000, 60000) | size~price r2 > 0.7"),
    ("Generate 600 rows with age normal mean 45 sd 12 and blood pressure normal mean 125 sd 14 that correlates with age at about 0.5", "600 | age int normal(45, 12); blood_pressure normal(125, 14) | blood_pressure~age r = 0.5"),
    ("Generate 500 companies with revenue lognormal with mu 15 and sigma 1 and employees correlated with revenue (R² > 0.8)", "500 | revenue lognormal(15, 1); employee int follows [1, -] | employee~revenue r2 > 0.8"),
    ("Generate 100 samples where temperature ~ N(25, 5) and sales ~ N(200, 40) are positively correlated with r of 0.65 between temperature and sales", "100 | temperature normal(25, 5); sale normal(200, 40) | temperature~sale r = 0.65"),
    # time series
    ("Generate daily sales for 2024 with an upward trend of 0.5 per day, weekly seasonality with amplitude 10 and noise sd 2, starting at 100", "366 | sale by day from 2024-01-01: 100 + 0.5 t, 10 per 7, noise 2"),
    ("Simulate a monthly revenue time series for 3 years starting at 1000, growing 2% per month with yearly seasonality of amplitude 50 and noise sd 10", "36 | revenue by month from 2024-01-01: 1000 * 1.02^t, 50 per 12, noise 10"),
    ("Create an hourly temperature time series of 240 points with level 15, daily seasonality with amplitude 5 and noise 0.5, no trend", "240 | temperature by hour from 2024-01-01: 15 + 0 t, 5 per 24, noise 0.5"),
    ("Generate a time series of 100 days starting 2023-03-01 with base level 50, linear trend of 0.2 per day and noise with standard deviation 1", "100 | value by day from 2023-03-01: 50 + 0.2 t, noise 1"),
    ("Make a weekly time series of website visits for 2 years with baseline 1000, decreasing by 2 per week, noise sd 30", "104 | website_visit by week from 2024-01-01: 1000 + -2 t, noise 30"),
    ("Produce 60 months of a time series with trend 3 per month, level 200, seasonality with period 12 and amplitude 20, noise sd 5", "60 | value by month from 2024-01-01: 200 + 3 t, 20 per 12, noise 5"),
    # analysis of lists
    ("What is the mean of 3, 5, 8, 12 and 15?", "mean(x1)"),
    ("Compute the median and standard deviation of [12, 15, 12, 18, 20]", "median(x1), sd(x1)"),
    ("Find the correlation between x = [1,2,3,4,5] and y = [2,4,5,4,5]", "correlation(x, y)"),
    ("Group A: 23, 25, 28, 30, 32. Group B: 31, 33, 35, 30, 36. Run a t-test to see whether the groups differ.", "ttest(Group A, Group B)"),
    ("Fit a linear regression of y on x: x = [1,2,3,4], y = [2,4,6.5,8]", "regression(y, x)"),
    ("Calculate the variance of 4, 8, 15, 16, 23, 42", "variance(x1)"),
    ("What's the average of [10, 20, 30, 40]?", "mean(x1)"),
    ("Find the population standard deviation of 2, 4, 4, 4, 5, 5, 7, 9", "sd(x1; ddof=0)"),
    ("What is the 90th percentile of [3, 7, 8, 5, 12, 14, 21, 13, 18]?", "quantile(x1; q=0.9)"),
    ("Compute the interquartile range of these numbers: 3, 7, 8, 5, 12, 14, 21", "iqr(x1)"),
    ("Give the quartiles of [1, 2, 3, 4, 5, 6, 7, 8]", "quartiles(x1)"),
    ("Calculate a 95% confidence interval for the mean of [5.1, 4.9, 6.2, 5.8, 6.0, 5.5]", "ci(x1; level=0.95)"),
    ("Is [2.1, 2.5, 2.2, 2.8, 2.4, 2.6, 2.3] normally distributed? Use the Shapiro-Wilk test.", "shapiro(x1)"),
    ("Perform a one-way ANOVA on group1 = [85, 86, 88], group2 = [91, 92, 93], group3 = [79, 78, 88]", "anova(group1, group2, group3)"),
    ("Run a paired t-test on before = [120, 130, 125, 140] and after = [115, 128, 120, 135]", "ttest_paired(before, after)"),
    ("Perform a one-sample t-test of [5.1, 4.9, 5.6, 5.8] against a mean of 5", "ttest_one(x1; mu=5)"),
    ("Compute Spearman's rank correlation for a = [1, 2, 3, 4, 5] and b = [5, 6, 7, 8, 7]", "spearman(a, b)"),
    ("chi-square test of independence for [[30, 10, 20], [20, 25, 15]]", "chi2_table(row 1, row 2)"),
    ("Run a chi-square goodness of fit test on observed counts [18, 22, 20, 40]", "chi2_fit(observed)"),
    ("Mann-Whitney U test for x = [1, 4, 6, 8] and y = [2, 9, 10, 12]", "mannwhitney(x, y)"),
    ("Do a two-sample KS test on a = [0.1, 0.4, 0.7, 0.9] and b = [0.2, 0.5, 0.6, 1.2]", "ks_two(a, b)"),
    ("Find the mode of [1, 2, 2, 3, 3, 3, 4]", "mode(x1)"),
    ("What are the skewness and kurtosis of [2, 8, 0, 4, 1, 9, 9, 0]?", "skewness(x1), kurtosis(x1)"),
    ("What is the range of the numbers 4, 9, 15, 2, 7?", "range(x1)"),
    ("Please work out the sum of these values: 12.5, 7.5, 30, 50", "sum(x1)"),
    ("Calculate the covariance of x = [1, 2, 3] and y = [4, 6, 9]", "covariance(x, y)"),
    ("Given x = [1, 2, 3, 4] and y = [3, 5, 7, 9], fit a line of best fit and predict y at x = 10", "regression(y, x; at=10)"),
    ("Give me summary statistics for 12, 15, 9, 20, 18, 11", "describe(x1)"),
    ("Standard error of the mean of [10, 12, 14, 11, 13]", "sem(x1)"),
    ("Are there any outliers in [10, 12, 11, 13, 12, 95] by the IQR method?", "outliers(x1; limit=1.5, rule=iqr)"),
    ("mean, median and mode of 5, 7, 7, 9, 12", "mean(x1), median(x1), mode(x1)"),
    # analysis of tables
    ("Here is a table:\nname,dept,salary\na,x,10\nb,y,20\nc,x,30\nWhat is the mean salary by dept?", "mean(salary by dept)"),
    ("```csv\nheight,weight\n170,65\n180,80\n165,60\n175,72\n```\nCompute the Pearson correlation between height and weight.", "correlation(height, weight)"),
    ("| city | temp |\n|---|---|\n| A | 20 |\n| B | 25 |\n| C | 30 |\nWhat is the average temp?", "mean(temp)"),
    ("group,score\na,5\na,7\nb,9\nb,12\na,6\nb,11\nRun a t-test on score between groups, by group.", "ttest(score by group)"),
    ("region,sales\nN,10\nS,20\nN,30\nS,50\nGive me the total sales for each region", "sum(sales by region)"),
    ("x,y\n1,2\n2,4\n3,6\n4,8.5\nRegress y on x.", "regression(y, x)"),
    ("day,visits\nMon,100\nTue,120\nWed,90\nWhat is the maximum of visits?", "maximum(visits)"),
    ('[{"age": 20, "pay": 10}, {"age": 30, "pay": 20}, {"age": 40, "pay": 25}] - what is the median of pay?', "median(pay)"),
    ("a,b\n1,\n2,5\n,6\n4,7\nHow many missing values are in b?", "missing(b)"),
    ("year,price\n2020,10\n2021,12\n2022,15\nWhat is the standard deviation of price, rounded to 2 decimal places?", "sd(price) .2"),
    # by another author
    ("Produce 1000 random ages with an average of 35 and a standard deviation of 12, following a normal distribution and staying between 18 and 100.", "1000 | age int normal(35, 12) cut[18, 100]"),
    ("I need a list of 500 exam scores, bell-shaped around 75 with standard deviation 8, no score above 100.", "500 | exam_score normal(75, 8) cut[-, 100]"),
    ("Please provide 1000 simulated heights in centimeters, normally distributed with mean=172 and sd=9.", "1000 | height normal(172, 9)"),
    ("Generate 10,000 samples of X ~ Exp(0.2)", "10000 | x exponential(5)"),
    ("Could I get 250 draws from a Weibull with shape parameter 1.8 and scale parameter 40?", "250 | value weibull(1.8, 40)"),
    ("Make me 100 fake invoices with an amount that's uniformly distributed between $50 and $500 (2 decimals) and a status that is paid 80% / unpaid 20%.", "100 | amount .2 uniform(50, 500); status cat(paid 0.8, unpaid 0.2)"),
    ("Give me 45 integers drawn uniformly from 10 to 99 without repetition.", "45 | value int uniform(10, 99) unique"),
    ("Generate a bimodal dataset of 2000 points: 60% around 10 with sd 2 and 40% around 30 with sd 4.", "2000 | value mix(0.6 normal(10, 2), 0.4 normal(30, 4))"),
    ("Generate data for 300 customers. Each customer has an age (uniform 18-70), a monthly spend (gamma, shape 2, scale 50) and a segment (A 50%, B 30%, C 20%).", "300 | age int uniform(18, 70); monthly_spend gamma(2, 50); segment cat(A 0.5, B 0.3, C 0.2)"),
    ("Find the slope and intercept of the least squares line for x = [0, 1, 2, 3] and y = [1, 3, 5, 8].", "regression(y, x)"),
    ("Sample size: 150. Distribution: normal. Mean: 20. SD: 5. Please generate.", "150 | value normal(20, 5)"),
    ("Given the data 23, 29, 20, 32, 23, 21, 33, 25, compute mean, median, mode and range of the data.", "mean(x1), median(x1), mode(x1), range(x1)"),
    ("Determine the Pearson correlation for these two lists: [10, 20, 30, 40] and [12, 24, 33, 47].", "correlation(x1, x2)"),
    ("Compute the 25th, 50th and 75th percentiles of [4, 8, 15, 16, 23, 42].", "quantile(x1; q=0.25), quantile(x1; q=0.5), quantile(x1; q=0.75)"),
    ("Generate 500 people with age (mean 40, std 12, normal), gender (52% female, 48% male), and income which correlates with age at r=0.4", "500 | age int normal(40, 12); gender cat(female 0.52, male 0.48); income follows | income~age r = 0.4"),
]  # fmt: skip


def line(spec: Spec) -> str:
    """Write a `Spec` in the notation of `PARAPHRASES`."""
    if spec.kind == "analyse":
        figures = ", ".join(map(_analysis, spec.analyses))
        return figures + (f" .{spec.decimals}" if spec.decimals is not None else "")
    head = f"{spec.count}" + (" csv" if spec.format == "csv" else "")
    head += f" seed={spec.seed}" if spec.seed is not None else ""
    if spec.series is not None:
        return f"{head} | {_series(spec)}"
    text = f"{head} | {'; '.join(map(_field, spec.fields))}"
    relations = [
        f"{c.first}~{c.second} {c.measure} {c.relation} {c.value:g}" for c in spec.correlations
    ]
    return text + (f" | {'; '.join(relations)}" if relations else "")


def _analysis(each) -> str:
    given = ", ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in sorted(each.parameters.items()))  # fmt: skip
    return f"{each.method}({', '.join(each.columns)}{f' by {each.by}' if each.by else ''}{f'; {given}' if given else ''})"  # fmt: skip


def _series(spec: Spec) -> str:
    s = spec.series
    assert s is not None
    trend = f"{s.level:g} * {1 + s.growth:g}^t" if s.growth else f"{s.level:g} + {s.trend:g} t"
    season = f", {s.amplitude:g} per {s.period}" if s.period else ""
    return f"{s.name} by {s.step} from {s.start}: {trend}{season}, noise {s.noise:g}"


def _field(field: Field) -> str:
    if field.role in ("id", "text"):
        return f"{field.name} {field.role}"
    if field.role == "derived":
        return f"{field.name} = {field.formula}"
    if field.role == "date":
        return f"{field.name} {field.start}..{field.end}"
    of = field.distribution
    if field.role == "boolean":
        return f"{field.name} bool({of.weights[of.labels.index('true')]:g})"
    places = (
        "" if field.decimals is None else " int" if field.decimals == 0 else f" .{field.decimals}"
    )
    text = f"{field.name}{places} {_distribution(of) if of else 'follows'}"
    if field.low is not None or field.high is not None:
        low, high = ("-" if b is None else f"{b:g}" for b in (field.low, field.high))
        text += f" {'clip' if field.clip else 'cut' if of else ''}[{low}, {high}]"
    return text + (" unique" if field.unique else "")


def _distribution(of: Distribution) -> str:
    if of.family == "categorical":
        pairs = zip(of.labels, of.weights, strict=True)
        return f"cat({', '.join(f'{label} {weight:g}' for label, weight in pairs)})"
    if of.family == "mixture":
        parts = zip(of.weights, of.parts, strict=True)
        return f"mix({', '.join(f'{w:g} {_distribution(p)}' for w, p in parts)})"
    values = (f"{float(format(value, '.4g')):g}" for value in of.parameters.values())
    return f"{of.family}({', '.join(values)})"
