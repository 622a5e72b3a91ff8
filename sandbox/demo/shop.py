"""The shop: a coffee roaster with beans, machines and courses. What it sells, to whom, and its two programs."""

import frappe
from frappe.utils import add_days, today

from loyalty_app.ledger import runs

COMPANY, ABBR = "Loyalty Demo", "LD"
PASSWORD = "demo"
CARD, CIRCLE = "Corner Café Card", "Roastery Circle"
CARD_POINT, CIRCLE_POINT = 0.10, 0.25
BEAN_DAYS, BIG_ORDER = "Double Bean Days", "Big Order Bonus"
POS_PROFILE = "Counter"
TAX_TEMPLATE, TAX_RATE = "Sales Tax 8%", 8
DEBTORS_EUR = f"Debtors EUR - {ABBR}"

# who does what: name, first name, role
ACCOUNTANT, MANAGER, AUDITOR, CASHIER, CUSTOMER = (
	f"{name}@example.com" for name in ("accountant", "manager", "auditor", "cashier", "customer")
)
USERS = {
	ACCOUNTANT: ("Amira", "Accounts User"),
	MANAGER: ("Martin", "Accounts Manager"),
	AUDITOR: ("Aditi", "Auditor"),
	CASHIER: ("Caleb", "Sales User"),
	CUSTOMER: ("Carla", "Customer"),
}

BEANS, MACHINES, GEAR, COURSES, VOUCHERS = (
	"Coffee Beans",
	"Machines & Grinders",
	"Brewing Gear",
	"Courses & Service",
	"Gift Vouchers",
)
# code: name, price, group
ITEMS = {
	"YIRGACHEFFE-250": ("Yirgacheffe Natural 250 g", 13.50, BEANS),
	"HARAZ-250": ("Haraz Mocha 250 g", 19.00, BEANS),
	"HUILA-250": ("Huila Washed 250 g", 12.50, BEANS),
	"ANTIGUA-250": ("Antigua Bourbon 250 g", 12.90, BEANS),
	"SUMATRA-250": ("Sumatra Lintong 250 g", 12.20, BEANS),
	"HOUSE-1KG": ("House Blend 1 kg", 28.00, BEANS),
	"ESPRESSO-1KG": ("Espresso Forte 1 kg", 31.00, BEANS),
	"DECAF-1KG": ("Decaf Blend 1 kg", 33.00, BEANS),
	"HOUSE-5KG": ("House Blend 5 kg", 118.00, BEANS),
	"ESPRESSO-5KG": ("Espresso Forte 5 kg", 132.00, BEANS),
	"GRINDER-HOME": ("Home Grinder", 189.00, MACHINES),
	"GRINDER-PRO": ("Café Grinder", 1450.00, MACHINES),
	"ESPRESSO-HOME": ("Home Espresso Machine", 649.00, MACHINES),
	"ESPRESSO-2GR": ("Two-Group Espresso Machine", 5200.00, MACHINES),
	"V60": ("V60 Dripper", 24.00, GEAR),
	"FILTERS-100": ("Paper Filters, 100", 7.50, GEAR),
	"KETTLE": ("Gooseneck Kettle", 79.00, GEAR),
	"SCALE": ("Brewing Scale", 45.00, GEAR),
	"CUPS-6": ("Cappuccino Cups, 6", 52.00, GEAR),
	"MILK-JUG": ("Milk Jug", 27.00, GEAR),
	"COURSE-BARISTA": ("Barista Course", 120.00, COURSES),
	"COURSE-LATTE": ("Latte Art Evening", 85.00, COURSES),
	"CUPPING": ("Cupping Table", 65.00, COURSES),
	"SERVICE": ("Machine Service Visit", 140.00, COURSES),
	"VOUCHER-25": ("Gift Voucher 25", 25.00, VOUCHERS),
	"VOUCHER-50": ("Gift Voucher 50", 50.00, VOUCHERS),
}

TRADE = "Trade Customers"
CAFES, RESTAURANTS, OFFICES = "Cafés", "Restaurants & Hotels", "Offices"
CITY = "City"
QUARTERS = ("Old Town", "Harbour", "University Quarter", "Garden District", "Airport Road")

PRIVATE_NAMES = """
Layla Haddad; يوسف منصور; Emma Lindqvist; Omar Al-Farouqi; Grace Okafor; نورة الصباح; Daniel Weiss; Priya Raman;
Noah Bennett; خالد العتيبي; Sofia Marchetti; Hala Nassar; Liam O'Connor; Mei-Ling Chen; سلمى بن عيسى; Lucas Ferreira;
Zeynep Aydın; Charlotte Dubois; Tariq Mahmoud; Anna Kowalska; Ben Carter; مريم الخوري; Ingrid Solheim; Mateo Vargas;
Aisha Bello; Peter Novák; Rania Khoury; Jack Thompson; Yuki Tanaka; Olivia Grant; Samir Aziz; Helen Papadakis;
Victor Lange; Dina Fawzy; Ruth Abrams; Marcus Hill
"""
TRADE_NAMES = {
	CAFES: "Café Damascena; Blue Door Coffee; مقهى الياسمين; The Reading Room; Harbour Light Café; Kaffeehaus Lindner; "
	"Beit Qahwa; Two Sparrows; Corner Nine; The Daily Grind; قهوة الصباح",
	RESTAURANTS: "Olive & Thyme; Hotel Belvedere; مطعم الأندلس; Bistro Carmine; The Copper Pot; Riad Zitoun; Station Grill",
	OFFICES: "Meridian Architects; Falcon Logistics; Bright Path School; Noor Dental Clinic; Kestrel Software; Al Manar Books",
}


def names(text: str) -> list[str]:
	"""Return the names in a list that semicolons divide."""
	return [" ".join(name.split()) for name in text.split(";")]


def private_names() -> list[str]:
	"""Return the names of the 36 private customers."""
	return names(PRIVATE_NAMES)


def trade_names() -> list[tuple[str, str]]:
	"""Return (name, customer group) of the 24 trade customers."""
	return [(name, group) for group, text in TRADE_NAMES.items() for name in names(text)]


def open_shop() -> None:
	"""Create everything that is there before the first sale: users, items, groups, taxes, the counter, programs."""
	create_users()
	create_groups()
	create_items()
	create_accounts()
	create_counter()
	create_programs()


def insert(doctype: str, **values):
	"""Insert a record and return its document."""
	return frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)


def create_users() -> None:
	"""Create a user for each role that has to do with points."""
	for email, (first_name, role) in USERS.items():
		user = frappe.get_doc(
			{
				"doctype": "User",
				"email": email,
				"first_name": first_name,
				"last_name": "Demo",
				"send_welcome_email": 0,
				"new_password": PASSWORD,
				"roles": [{"role": role}],
			}
		)
		# a password to be read aloud; the policy of the site would not have it
		user.flags.ignore_password_policy = True
		user.insert(ignore_permissions=True)


def create_groups() -> None:
	"""Create what the trees of groups lack: they have a second level, as programs may name an upper one."""
	insert(
		"Customer Group", customer_group_name=TRADE, parent_customer_group="All Customer Groups", is_group=1
	)
	for name in (CAFES, RESTAURANTS, OFFICES):
		insert("Customer Group", customer_group_name=name, parent_customer_group=TRADE)
	insert("Territory", territory_name=CITY, parent_territory="All Territories", is_group=1)
	for name in QUARTERS:
		insert("Territory", territory_name=name, parent_territory=CITY)


def create_items() -> None:
	"""Create the goods in their groups; Item itself puts the price on the price list."""
	for group in (BEANS, MACHINES, GEAR, COURSES, VOUCHERS):
		insert("Item Group", item_group_name=group, parent_item_group="All Item Groups")
	for code, (name, price, group) in ITEMS.items():
		insert(
			"Item",
			item_code=code,
			item_name=name,
			item_group=group,
			stock_uom="Nos",
			is_stock_item=0,
			standard_rate=price,
		)


def create_accounts() -> None:
	"""Create the accounts of points and taxes, and one for a customer who is billed in euros."""
	insert(
		"Account",
		account_name="Loyalty Points Redeemed",
		parent_account=f"Indirect Expenses - {ABBR}",
		company=COMPANY,
	)
	insert(
		"Account",
		account_name="Sales Tax",
		parent_account=f"Duties and Taxes - {ABBR}",
		company=COMPANY,
		account_type="Tax",
		tax_rate=TAX_RATE,
	)
	frappe.db.set_value("Currency", "EUR", "enabled", 1)
	insert(
		"Account",
		account_name="Debtors EUR",
		parent_account=f"Accounts Receivable - {ABBR}",
		company=COMPANY,
		account_type="Receivable",
		account_currency="EUR",
	)
	insert("Sales Taxes and Charges Template", title=TAX_TEMPLATE, company=COMPANY, taxes=[tax_row()])


def tax_row() -> dict:
	"""Return the row that puts sales tax on top of an invoice."""
	return {
		"charge_type": "On Net Total",
		"account_head": f"Sales Tax - {ABBR}",
		"description": TAX_TEMPLATE,
		"rate": TAX_RATE,
		"cost_center": f"Main - {ABBR}",
	}


def tax_template() -> str:
	"""Return the name of the template with that row."""
	return frappe.db.get_value(
		"Sales Taxes and Charges Template", {"title": TAX_TEMPLATE, "company": COMPANY}
	)


def create_counter() -> None:
	"""Create the point of sale; a till has to be open for POS Invoices."""
	insert(
		"POS Profile",
		name=POS_PROFILE,
		__newname=POS_PROFILE,
		company=COMPANY,
		currency=frappe.get_cached_value("Company", COMPANY, "default_currency"),
		selling_price_list="Standard Selling",
		write_off_account=f"Write Off - {ABBR}",
		write_off_cost_center=f"Main - {ABBR}",
		cost_center=f"Main - {ABBR}",
		income_account=f"Sales - {ABBR}",
		payments=[{"mode_of_payment": "Cash", "default": 1}, {"mode_of_payment": "Card"}],
	)


def create_programs() -> None:
	"""Create the two programs: a card for everybody who asks, a circle that trade customers are in by themselves."""
	shared = {
		"company": COMPANY,
		"from_date": frappe.utils.today(),
		"expense_account": f"Loyalty Points Redeemed - {ABBR}",
		"cost_center": f"Main - {ABBR}",
		"exclusions": [{"exclude_type": "Item Group", "exclude_value": VOUCHERS}],
	}
	insert(
		"Loyalty Program",
		loyalty_program_name=CARD,
		loyalty_program_type="Single Tier Program",
		conversion_factor=CARD_POINT,
		expiry_duration=90,
		collection_rules=[{"tier_name": "Card", "min_spent": 0, "collection_factor": 10}],
		**shared,
	)
	insert(
		"Loyalty Program",
		loyalty_program_name=CIRCLE,
		loyalty_program_type="Multiple Tier Program",
		customer_group=TRADE,
		conversion_factor=CIRCLE_POINT,
		expiry_duration=180,
		minimum_redemption_points=20,
		redemption_step=10,
		maximum_redemption_share=50,
		collection_rules=[
			{"tier_name": "Bronze", "min_spent": 0, "collection_factor": 10},
			{"tier_name": "Silver", "min_spent": 2500, "collection_factor": 8},
			{"tier_name": "Gold", "min_spent": 7500, "collection_factor": 5},
		],
		**shared,
	)


def open_promotions() -> None:
	"""Create two promotions: one of the card that has no end, one of the circle that has limits."""
	insert(
		"Loyalty Promotion",
		promotion_name=BEAN_DAYS,
		loyalty_program=CARD,
		from_date=today(),
		effect="Multiply Points",
		multiplier=2,
		combination="Add Up",
		friday=1,
		saturday=1,
		items=[{"apply_to": "Item Group", "apply_to_value": BEANS}],
	)
	insert(
		"Loyalty Promotion",
		promotion_name=BIG_ORDER,
		loyalty_program=CIRCLE,
		from_date=today(),
		to_date=add_days(today(), 180),
		effect="Fixed Bonus",
		points=25,
		combination="Add Up",
		minimum_amount=300,
		exclusions=[{"exclude_type": "Item Group", "exclude_value": COURSES}],
		limit_per_customer=3,
		limit_total=60,
	)


def enrol_trade() -> None:
	"""Open the circle to the trade customers who are there already, as ticking Auto Opt In does."""
	program = frappe.get_doc("Loyalty Program", CIRCLE)
	program.auto_opt_in = 1
	program.save(ignore_permissions=True)
	# saving queued it for background workers, of which this process has none
	run = runs.start("Enrolment", CIRCLE)
	runs.divide(run)
	for part in frappe.get_all(runs.RANGE, filters={"parent": run}, pluck="name"):
		runs.work(run, part)


def open_portal() -> None:
	"""Let the website user Carla stand for the first of the trade customers."""
	customer = frappe.get_doc("Customer", trade_names()[0][0])
	customer.append("portal_users", {"user": CUSTOMER})
	customer.save(ignore_permissions=True)


def join(name: str, group: str, territory: str, program: str | None = None, **values):
	"""Make a customer, as the cashier does; returns the document."""
	return frappe.get_doc(
		{
			"doctype": "Customer",
			"customer_name": name,
			"customer_type": "Individual" if group == "Individual" else "Company",
			"customer_group": group,
			"territory": territory,
			"loyalty_program": program,
			**values,
		}
	).insert()
